"""A whole process of ours on loopback, as its users meet it: HTTP and WebSocket over real sockets."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kame_voice.app import App, build
from kame_voice.caller.caller import PhoneCaller, Server
from kame_voice.caller.twilio_side import CallIdentity
from kame_voice.core.settings import load_settings
from kame_voice.server import listen, serving

__all__ = ["OPEN_TO_BROWSERS", "TOKEN", "RunningApp", "flow_text", "running_app"]

TOKEN = "test-auth-token"
ACCOUNT = "AC" + "0" * 32

OPEN_TO_BROWSERS = "browser: {talk: true, max_calls_per_hour: 1000, max_calls_per_day: 1000}\n"
"""For `flow_text(more=…)`: anybody may call from a browser, as often as a test likes."""

_FLOW = """\
version: 1
customer: acme
line: {line}
numbers: ["{number}"]
greeting: Acme Bicycles, how can I help?
business:
  name: Acme Bicycles
  time_zone: Europe/Berlin
  hours:
    mon: 09:00-17:00
    sat: 10:00-13:00
facts:
  - id: puncture
    questions: ["How much is a puncture repair?", "What do you take for a flat tyre?"]
    answer: A puncture repair costs twelve euros, and you can wait for it.
  - id: rental
    questions: ["Do you rent bikes?", "Can I hire a bicycle for a day?"]
    answer: Yes, we rent city bikes for twenty euros a day.
{more}"""


def flow_text(line: str = "acme-main", number: str = "+15550100", more: str = "") -> str:
    """A small valid flow file; `more` is further YAML at its top level."""
    return _FLOW.format(line=line, number=number, more=more)


@dataclass(frozen=True)
class RunningApp:
    """The app, where it listens, and a caller for it."""

    app: App
    url: str

    @property
    def server(self) -> Server:
        return Server(self.url, self.url, TOKEN, status_path="/twilio/status")

    def caller(self, **options: Any) -> PhoneCaller:
        """A caller that signs as the carrier would."""
        return PhoneCaller(self.server, **options)

    @staticmethod
    def identity(to: str = "+15550100", from_number: str = "+15550111") -> CallIdentity:
        return CallIdentity(from_number, to, account_sid=ACCOUNT)

    def counted(self, name: str, **labels: str) -> float:
        """A metric's value, 0 where it was never touched."""
        return self.app.telemetry.registry.get_sample_value(f"kame_{name}", labels) or 0.0


@contextlib.asynccontextmanager
async def running_app(folder: Path, *flows: str, **settings: Any) -> AsyncIterator[RunningApp]:
    """Serve the given flow files (default: one) out of `folder` until the body is left."""
    flows_dir = folder / "flows"
    flows_dir.mkdir(exist_ok=True)
    for number, text in enumerate(flows or [flow_text()]):
        (flows_dir / f"line-{number}.yaml").write_text(text)
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    options: dict[str, Any] = {
        "public_url": url,
        "flows_dir": flows_dir,
        "data_dir": folder / "data",
        "twilio_account_sid": ACCOUNT,
        "twilio_auth_token": TOKEN,
        "front_end": "echo",
        "api_token": "test-api-token",
    }
    app = build(load_settings(**(options | settings)), "127.0.0.1")
    async with serving(app, listener):
        await app.ready()
        yield RunningApp(app, url)
