"""Voices and ears that the end-to-end tests share: loading them takes a second each."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kame_voice.caller.clip import CallerVoice
from kame_voice.caller.listener import Listener


@pytest.fixture(scope="session")
def voice() -> CallerVoice:
    return CallerVoice(pitch=1.15)


@pytest.fixture(scope="session")
def listener() -> Listener:
    return Listener(threads=1)


@pytest.fixture
def local_page(tmp_path: Path) -> Iterator[str]:
    """The URL of an empty page on loopback, which a browser counts as a secure context."""
    (tmp_path / "index.html").write_text("<!doctype html><title>empty</title><link rel=icon href=data:,>")
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, name="local page")
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()
