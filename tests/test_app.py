"""What the composition root refuses to start with."""

from __future__ import annotations

from pathlib import Path

import pytest

from kame_voice.app import build
from kame_voice.core.settings import SettingsError, load_settings
from kame_voice.flows.errors import FlowError
from tests.support.running_app import flow_text


def settings(folder: Path, **changed: object) -> dict[str, object]:
    parts: dict[str, object] = {
        "public_url": "https://voice.example.com",
        "twilio_account_sid": "AC1",
        "twilio_auth_token": "secret",
        "flows_dir": folder,
        "data_dir": folder / "data",
        "front_end": "echo",
    }
    return parts | changed


@pytest.mark.parametrize(
    ("changed", "host", "named"),
    [
        ({"public_url": ""}, "127.0.0.1", "KAME_PUBLIC_URL"),
        ({"twilio_auth_token": ""}, "127.0.0.1", "TWILIO_AUTH_TOKEN"),
        ({"twilio_signatures": False}, "0.0.0.0", "KAME_TWILIO_SIGNATURES"),
        # A tunnel's requests come from this machine: only a local public URL keeps strangers out.
        ({"twilio_signatures": False}, "127.0.0.1", "KAME_PUBLIC_URL voice.example.com"),
    ],
)
def test_a_server_that_strangers_could_use_does_not_start(
    tmp_path: Path, changed: dict[str, object], host: str, named: str
) -> None:
    (tmp_path / "line.yaml").write_text(flow_text())
    with pytest.raises(SettingsError, match=named):
        build(load_settings(None, **settings(tmp_path, **changed)), host)


def test_a_broken_flow_stops_the_start_with_all_its_mistakes(tmp_path: Path) -> None:
    (tmp_path / "line.yaml").write_text("version: 1\ngreting: Hello.\n")
    with pytest.raises(FlowError) as caught:
        build(load_settings(None, **settings(tmp_path)), "127.0.0.1")
    assert "line.yaml:2:1" in str(caught.value)
    assert "greeting" in str(caught.value)


def test_a_misspelt_setting_is_named(tmp_path: Path) -> None:
    config = tmp_path / "kame.yaml"
    config.write_text("publik_url: https://x.example\n")
    with pytest.raises(SettingsError, match=r"publik_url: is no setting; did you mean public_url\?"):
        load_settings(config)
