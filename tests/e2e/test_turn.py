"""Calls through a real TURN server, as browsers place them whose firewall lets no UDP through."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aioice.stun import TransactionFailed
from aioice.turn import TurnClientUdpProtocol
from playwright.async_api import expect

from kame_voice.bench.judge import recall
from kame_voice.caller.clip import CallerVoice
from kame_voice.core.settings import load_settings
from kame_voice.web.ice import ice_servers
from tests.support.browser import needs_chromium, open_browser, write_microphone
from tests.support.running_app import OPEN_TO_BROWSERS, flow_text
from tests.support.server_process import ServerProcess
from tests.support.talk_page import TalkPage
from tests.support.turn_server import SECRET, TurnServer, needs_turnserver, turn_server

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(100), needs_turnserver]

RELAY_ONLY = """
const Peer = window.RTCPeerConnection;
window.kamePeers = [];
window.RTCPeerConnection = class extends Peer {
  constructor(configuration) {
    super({ ...configuration, iceTransportPolicy: "relay" });
    window.kamePeers.push(this);
  }
};
"""
"""Before the page is opened: its connections may use nothing but a relay."""
WAYS = """async () => {
  const stats = [...(await window.kamePeers[0].getStats()).values()];
  const inUse = stats.find((one) => one.type === "transport").selectedCandidatePairId;
  const pair = stats.find((one) => one.id === inUse);
  const end = (id) => stats.find((one) => one.id === id).candidateType;
  return [end(pair.localCandidateId), pair.bytesReceived > 1000];
}"""
QUESTION = "How much is a puncture repair?"


@needs_chromium
async def test_a_call_is_carried_by_the_relay_alone(tmp_path: Path, voice: CallerVoice) -> None:
    wav = write_microphone(tmp_path / "question.wav", 5.0, voice.sound(QUESTION), 60.0)
    async with turn_server(tmp_path) as turn:
        server = ServerProcess(
            tmp_path,
            flow_text(more=OPEN_TO_BROWSERS),
            KAME_FRONT_END="spoken",
            KAME_TURN_SERVERS=turn.url,
            KAME_TURN_SECRET=SECRET,
        )
        async with server.serving():
            async with open_browser(microphone=wav) as browser, browser.page() as page:
                await page.add_init_script(RELAY_ONLY)
                await page.goto(f"{server.url}/talk/acme-main")
                talk = TalkPage(page)
                await talk.call.click()
                await talk.says("agent", "how can I help?")
                await talk.says("agent", "twelve euros")
                assert await page.evaluate(WAYS) == ["relay", True]
                await talk.hang_up.click()
                await expect(talk.status).to_have_text("The call has ended")
            (call,) = await server.closed_calls(1)
        users = turn.users()
    assert call.status == "completed"
    assert recall(QUESTION, " ".join(turn.text for turn in call.turns if turn.speaker == "caller")) >= 0.5
    assert len(users) == 1, "one user name a call"


class Client:
    """A caller's side of the relay, with the name and password that one call was given."""

    def __init__(self, turn: TurnServer, protocol: TurnClientUdpProtocol) -> None:
        self.turn = turn
        self.protocol = protocol

    async def may_reach(self, address: str) -> int:
        """0, or the error by which the relay refuses to send there (RFC 8656)."""
        try:
            await self.protocol.channel_bind(0x4000, (address, 9))
        except TransactionFailed as failed:
            return int(failed.response.attributes["ERROR-CODE"][0])
        return 0


@contextlib.asynccontextmanager
async def client(turn: TurnServer, *, secret: str = SECRET, at: float | None = None) -> AsyncIterator[Client]:
    """With what `IceServers` gives for a call that began `at` (default: now). Raises TransactionFailed."""
    settings = load_settings(turn_servers=turn.url, turn_secret=secret, turn_ttl_s=600)
    (given,) = ice_servers(settings).for_call(time.time() if at is None else at, "ab12")
    where = (turn.address, turn.port)
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: TurnClientUdpProtocol(where, str(given["username"]), str(given["credential"]), 600, 500),
        remote_addr=where,
    )
    try:
        await protocol.connect()
        yield Client(turn, protocol)
        await protocol.delete()
    finally:
        transport.close()


async def test_the_relay_takes_our_passwords_until_they_expire_and_no_others(tmp_path: Path) -> None:
    async with turn_server(tmp_path) as turn:
        async with client(turn):
            assert len(turn.users()) == 1
        for wrong in (client(turn, secret="south"), client(turn, at=time.time() - 700)):
            with pytest.raises(TransactionFailed, match="401"):
                await wrong.__aenter__()


async def test_the_relay_leads_to_the_server_and_nowhere_else_in_its_network(tmp_path: Path) -> None:
    async with turn_server(tmp_path) as turn, client(turn) as caller:
        for inside in ("127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.169.254"):
            if inside != turn.address:
                assert await caller.may_reach(inside) == 403, inside
        assert await caller.may_reach(turn.address) == 0
