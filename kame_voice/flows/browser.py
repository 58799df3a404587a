"""How a line may be called from a browser: by whom, from which sites, how often. Closed unless opened."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

__all__ = ["BrowserAccess"]

_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", re.ASCII)


def _plain(text: Any) -> Any:
    return text.strip().rstrip("/").lower() if isinstance(text, str) else text


def _origin(text: str) -> str:
    """An origin as browsers send it (RFC 6454): scheme, host, and a port that is not the scheme's own."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{text!r} is not an address such as https://www.example.com") from error
    host = parts.hostname or ""
    if parts.scheme not in ("https", "http") or not _HOST.fullmatch(host):
        raise ValueError(f"{text!r} is not an address such as https://www.example.com")
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"{text!r} must end after the host (and port): https://www.example.com")
    if parts.scheme == "http" and not _is_local(host):
        raise ValueError(
            f"{text!r} must begin with https://: browsers give no microphone to a page without it"
        )
    standard = {"https": 443, "http": 80}[parts.scheme]
    return f"{parts.scheme}://{host}" if port in (None, standard) else f"{parts.scheme}://{host}:{port}"


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


_Origin = Annotated[
    str,
    BeforeValidator(_plain),
    AfterValidator(_origin),
    WithJsonSchema({"type": "string", "examples": ["https://www.example.com"]}),
]


class BrowserAccess(BaseModel):
    """Who may call the line from a browser. Signed-in people of the line's own may always, unlimited."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    talk: bool = Field(default=False, description="Anybody may call the line from the page /talk.")
    widget: bool = Field(
        default=False, description="Visitors of the sites in `origins` may call it by the call button there."
    )
    origins: Annotated[tuple[_Origin, ...], Field(max_length=50)] = Field(
        default=(), description="Sites on which the call button may stand, such as https://www.example.com."
    )
    max_calls_per_day: int = Field(
        default=200, ge=1, le=100_000, description="Browser calls of the public in 24 hours; then none."
    )
    max_calls_per_hour: int = Field(
        default=10, ge=1, le=10_000, description="Browser calls from one network address in an hour."
    )

    @model_validator(mode="after")
    def _stands_somewhere(self) -> BrowserAccess:
        if self.widget and not self.origins:
            raise ValueError("widget needs origins: the sites on which the call button may stand")
        return self

    @property
    def is_public(self) -> bool:
        """Somebody who is not signed in may call the line from a browser."""
        return self.talk or self.widget
