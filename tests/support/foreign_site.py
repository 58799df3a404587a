"""A customer's web site on loopback, with the security policy of a careful one."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["foreign_site"]

_PAGE = """<!doctype html><html lang="en"><title>Our shop</title><link rel="icon" href="data:,">
<style nonce="own">button {{ font-size: 3px !important }} * {{ color: red }}</style>
<h1>Our shop</h1><p><a href="#">A link of the site's own</a></p>
<script src="{server}/widget.js" data-line="{line}" data-label="Call the workshop" async></script>"""


@contextlib.contextmanager
def foreign_site(server: str, line: str, host: str = "localhost") -> Iterator[str]:
    """Serve a page with the call button of `line` at `server`; the site's origin."""
    policy = (
        f"default-src 'self'; script-src {server}; frame-src {server}; "
        "style-src 'nonce-own'; connect-src 'none'; img-src data:"
    )

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Security-Policy", policy)
            self.send_header("Referrer-Policy", "no-referrer")
            self.end_headers()
            self.wfile.write(_PAGE.format(server=server, line=line).encode())

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        thread = threading.Thread(target=site.serve_forever, name="foreign site")
        thread.start()
        try:
            yield f"http://{host}:{site.server_port}"
        finally:
            site.shutdown()
            thread.join()
