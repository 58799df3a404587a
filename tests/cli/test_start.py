"""What a command loads before it runs."""

from __future__ import annotations

import subprocess
import sys


def test_the_command_line_loads_no_numpy_so_that_serve_can_still_choose_its_threads() -> None:
    code = "import sys, kame_voice.cli; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
