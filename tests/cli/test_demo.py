"""`kame-voice demo`: in a terminal it stays up for the browser, elsewhere it ends by itself."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.support.running_app import flow_text

pytestmark = pytest.mark.timeout(90)

COMMAND = [sys.executable, "-m", "kame_voice", "demo", "--say", "Do you rent bikes?", "--data-dir", "data"]


def environment(folder: Path) -> dict[str, str]:
    flows = folder / "flows"
    flows.mkdir()
    (flows / "acme.yaml").write_text(flow_text(more="browser: {talk: true}\n"))
    return os.environ | {"KAME_FLOWS_DIR": str(flows)}


@pytest.mark.skipif(
    not shutil.which("make") or not shutil.which("setsid"), reason="make or setsid is missing"
)
def test_in_a_terminal_the_server_stays_up_until_ctrl_c_and_make_is_content(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(f"demo:\n\t@{shlex.join(COMMAND)}\n")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", "make", "demo"],  # what is typed reaches them as from a shell
        cwd=tmp_path,
        env=environment(tmp_path),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        shown = read_until(ours, "Ctrl-C stops it")
        url = re.search(r"http://127\.0\.0\.1:\d+/talk", shown)
        assert url is not None, shown
        assert "city bikes" in shown, "the call came first"
        answer = httpx.get(url.group(), trust_env=False)
        assert "Acme Bicycles" in answer.text
        assert re.search(r"/calls/[0-9a-f]{32}\b", shown), "the call just placed"
        welcome = re.search(r"http://\S+/welcome/\S+", shown)
        assert welcome is not None, shown
        assert httpx.get(welcome.group(), trust_env=False).status_code == 200
        os.write(ours, b"\x03")
        end = read_until(ours, "the end of the program")
        assert "Stopped." in end
        assert "Traceback" not in end
        assert "***" not in end, "make has nothing to say"
        assert process.wait(timeout=20) == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(ours)


def test_elsewhere_it_ends_by_itself(tmp_path: Path) -> None:
    done = subprocess.run(
        COMMAND,
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "/talk" not in done.stdout


def read_until(terminal: int, words: str, within_s: float = 60) -> str:
    """What a terminal shows until these words, or the end of the program."""
    shown = ""
    deadline = time.monotonic() + within_s
    while words not in shown:
        ready, _, _ = select.select([terminal], [], [], max(deadline - time.monotonic(), 0))
        assert ready, f"{words!r} never came:\n{shown}"
        try:
            shown += os.read(terminal, 65_536).decode("utf-8", "replace")
        except OSError:  # the terminal's other end is closed
            return shown
    return shown
