"""Install Debian's Chromium for the browser tests where that can be done without asking anybody.

Only as root, with apt-get, and where no Chromium is there. Says what it does and always succeeds: without
a browser those tests are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""As in tests/support/browser.py."""


def apt_get(*arguments: str) -> bool:
    """Run apt-get without questions; whether it succeeded."""
    command = ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0", *arguments]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, check=False, capture_output=True, env=environment, timeout=400)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def main() -> None:
    """Install it, or say why not."""
    if os.environ.get("CHROMIUM") or any(shutil.which(name) for name in NAMES):
        return
    skipped = "the browser tests will be skipped"
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        sys.stdout.write(f"No Chromium here: {skipped}. Debian: sudo apt-get install chromium\n")
        return
    sys.stdout.write("Installing Debian's chromium for the browser tests (apt-get install chromium) ...\n")
    sys.stdout.flush()
    install = ("install", "--yes", "--no-install-recommends", "chromium")
    if not (apt_get("update") and apt_get(*install)) and not apt_get(*install):
        sys.stdout.write(f"apt-get could not install chromium: {skipped}.\n")


if __name__ == "__main__":
    main()
