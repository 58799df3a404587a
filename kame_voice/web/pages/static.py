"""Style, scripts and pictures, under addresses that change with their content: cached for good."""

from __future__ import annotations

import hashlib
import mimetypes
from pathlib import Path
from typing import Final

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

__all__ = ["StaticFolder"]

_FOR_GOOD: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}


class StaticFolder:
    """All files of one folder. One version covers them all, so that scripts import each other by name."""

    def __init__(self, folder: Path) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): path
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.name.startswith(".")
        }
        state = hashlib.sha256()
        for name, path in self._files.items():
            state.update(name.encode() + b"\0" + path.read_bytes())
        self.version = state.hexdigest()[:12]

    def url(self, name: str) -> str:
        """Where the file is served. Raises KeyError for a file that there is not."""
        if name not in self._files:
            raise KeyError(f"there is no static file {name!r}")
        return f"/static/{self.version}/{name}"

    def router(self) -> APIRouter:
        """`/static/{version}/{path}`; a page of an older version gets today's file, uncached."""
        routes = APIRouter()

        # Only names found at the start are looked up: no path from outside reaches the disk.
        @routes.get("/static/{version}/{path:path}", include_in_schema=False)
        async def get_file(version: str, path: str) -> FileResponse:
            file = self._files.get(path)
            if file is None:
                raise HTTPException(404, "There is no such file.")
            kind = _TYPES.get(file.suffix) or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            caching = _FOR_GOOD if version == self.version else "no-cache"
            return FileResponse(file, media_type=kind, headers={"Cache-Control": caching})

        return routes
