"""Install the speech engine's libraries for tests, with the CPU build of torch where one is at hand.

Never fetches a CUDA build: only a version with the local label `+cpu` is asked for, which ordinary
indexes do not hold. Where there is none, says so and succeeds; the engine's tests are then skipped.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

TORCH = "torch==2.13.0+cpu"
REQUIREMENTS = Path(__file__).parent.parent / "requirements" / "gpu.txt"


def pip(*arguments: str) -> int:
    """Run pip in this interpreter, quietly; its exit code."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    return subprocess.run([*command, *arguments], check=False, capture_output=True).returncode


def main() -> None:
    """Install torch if it is not there, then the rest."""
    if importlib.util.find_spec("torch") is None and pip("--only-binary=:all:", TORCH) != 0:
        sys.stdout.write("No CPU build of torch at hand: the speech engine's tests will be skipped.\n")
        return
    if importlib.util.find_spec("moshi") is None and pip("-r", str(REQUIREMENTS)) != 0:
        sys.stdout.write("The speech engine's libraries cannot be fetched: its tests will be skipped.\n")


if __name__ == "__main__":
    main()
