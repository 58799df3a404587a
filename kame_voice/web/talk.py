"""The pages that callers see: /talk, /talk/{line}, and the call button for other sites with its frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, HTMLResponse

from kame_voice.accounts.viewer import Viewer
from kame_voice.core.settings import Settings
from kame_voice.flows.directory import FlowDirectory
from kame_voice.flows.schema import Flow
from kame_voice.web.auth.viewer import OptionalViewer
from kame_voice.web.browser_door import BrowserDoor, BrowserRefused, ForeignSite
from kame_voice.web.pages.render import page
from kame_voice.web.security_headers import content_security_policy
from kame_voice.web.widget_pass import WidgetPasses

__all__ = ["TalkPages"]

_WIDGET: Final = Path(__file__).parent / "static" / "talk" / "widget.js"
_HINTS: Final = 3
_WIDGET_KEPT: Final = "public, max-age=300"
"""Sites name the script by one address for ever, so a new one must reach them soon."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """A line on the page of lines."""

    name: str
    business: str
    public: bool


class TalkPages:
    """Routes for people who call from a browser. Whom the line lets in is the door's to say."""

    def __init__(
        self, settings: Settings, flows: FlowDirectory, door: BrowserDoor, passes: WidgetPasses
    ) -> None:
        self._recorded = settings.recording
        self._flows = flows
        self._door = door
        self._passes = passes
        self.router = APIRouter(include_in_schema=False)
        self.router.get("/talk")(self.lines)
        self.router.get("/talk/{line}")(self.line)
        self.router.get("/widget.js")(self.widget_script)
        self.router.get("/widget/{line}")(self.frame)

    # Plain functions: FastAPI runs them in a thread, as rendering takes CPU.

    def lines(self, request: Request, viewer: OptionalViewer) -> HTMLResponse:
        """The lines that this person may call."""
        flows = self._flows.generation.by_line.values()
        lines = [
            _Choice(flow.line, flow.business.name, flow.browser.talk)
            for flow in flows
            if flow.browser.talk or _is_staff(viewer, flow)
        ]
        lines.sort(key=lambda line: line.business)
        return page(request, "talk/lines.html", lines=lines)

    def line(self, request: Request, line: str, viewer: OptionalViewer) -> HTMLResponse:
        """The page from which one line is called; a line not open to this person does not show itself."""
        flow = self._flows.line(line)
        if flow is None or not (flow.browser.talk or _is_staff(viewer, flow)):
            return _refused(
                request,
                "This line cannot be called from here",
                "Check the address. If you work here, sign in first.",
                status=404,
            )
        return self._call_page(request, flow, staff=_is_staff(viewer, flow))

    def frame(self, request: Request, line: str) -> Response:
        """What the call button opens in a frame of the site that it stands on, and of no other."""
        try:
            flow = self._door.line(line)
            site = self._door.site(flow, _site_around(request))
        except BrowserRefused as refusal:
            # Shown on whatever site it is: its owner must read why.
            refused = _refused(
                request,
                "The call button may not stand here"
                if isinstance(refusal, ForeignSite)
                else "This line has no call button",
                f"{refusal.what}; {refusal.do}.",
                status=refusal.status,
                in_frame=True,
            )
            refused.headers["Content-Security-Policy"] = content_security_policy("*")
            return refused
        shown = self._call_page(request, flow, staff=False, site=site)
        shown.headers["Content-Security-Policy"] = content_security_policy(site)
        return shown

    async def widget_script(self) -> FileResponse:
        """The script of the call button, for any site: what it opens is checked when it is opened."""
        headers = {
            "Cache-Control": _WIDGET_KEPT,
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        return FileResponse(_WIDGET, media_type="text/javascript", headers=headers)

    def _call_page(
        self, request: Request, flow: Flow, *, staff: bool, site: str | None = None
    ) -> HTMLResponse:
        return page(
            request,
            "talk/line.html",
            line=flow.line,
            business=flow.business.name,
            recorded=self._recorded,
            hints=[fact.questions[0] for fact in flow.facts[:_HINTS]],
            staff=staff,
            site=site,
            widget_pass=self._passes.issue(flow.line, site) if site else None,
        )


def _is_staff(viewer: Viewer | None, flow: Flow) -> bool:
    return viewer is not None and viewer.may_see(flow.customer)


def _refused(
    request: Request, title: str, advice: str, *, status: int, in_frame: bool = False
) -> HTMLResponse:
    return page(request, "talk/refused.html", status=status, title=title, advice=advice, in_frame=in_frame)


def _site_around(request: Request) -> str | None:
    """The origin of the page around the frame: the button asks the browser to name it, and no more."""
    parts = urlsplit(request.headers.get("referer", ""))
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else None
