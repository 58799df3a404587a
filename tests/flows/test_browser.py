"""Who may call a line from a browser."""

from __future__ import annotations

import pytest

from kame_voice.flows.loader import parse_flow
from kame_voice.flows.schema import Flow
from tests.flows.writing import LEAST


def read(added: str) -> Flow:
    return parse_flow(f"{LEAST}{added}\n", "f.yaml").flow


def test_a_line_is_closed_to_browsers_unless_opened() -> None:
    closed = read("").browser
    assert (closed.talk, closed.widget, closed.origins, closed.is_public) == (False, False, (), False)
    assert read("browser: {talk: true}").browser.is_public
    assert read("browser: {widget: true, origins: [https://a.example]}").browser.is_public


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("https://www.example.com", "https://www.example.com"),
        ("https://www.example.com/", "https://www.example.com"),
        ("HTTPS://WWW.Example.COM", "https://www.example.com"),
        ("https://example.com:443", "https://example.com"),
        ("https://example.com:8443", "https://example.com:8443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1:8001", "http://127.0.0.1:8001"),
    ],
)
def test_a_site_is_kept_as_browsers_name_it(written: str, meant: str) -> None:
    assert read(f'browser: {{origins: ["{written}"]}}').browser.origins == (meant,)


@pytest.mark.parametrize(
    "text",
    ["example.com", "ftp://example.com", "https://", "https://*.example.com", "https://a.example:99999",
     "https://me@a.example", "https://a.example/?q", "https://[::1", "null", "https://a_b.example"],
)  # fmt: skip
def test_what_is_no_site_is_a_mistake(text: str) -> None:
    with pytest.raises(Exception, match=r"browser\.origins\[0\]"):
        read(f'browser: {{origins: ["{text}"]}}')
