"""What hostile words try, and an alarm in the browser that goes off when one of them gets anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from playwright.async_api import Dialog, Page

__all__ = ["HOSTILE", "SHORT", "SIGN", "Alarm"]

SIGN: Final = "quincewort"
"""Stands in everything hostile: a page that shows it has shown hostile words."""
_RUN: Final = "window.__pwned=1"
SHORT: Final = f"\"'><img data-pwned src=x onerror={_RUN}>{SIGN}"
"""For what is kept short, as a token's name."""
HOSTILE: Final = (
    f'=HYPERLINK("javascript:{_RUN}") {SIGN} <script>{_RUN}</script>'
    f"</textarea></title></style></pre><a data-pwned href=javascript:{_RUN}>x</a>"
    "<iframe data-pwned srcdoc='<script>parent.__pwned=1</script>'></iframe>"
    f"<div data-pwned hx-get=/account hx-trigger=load hx-on::load={_RUN}></div>"
    f"<svg data-pwned onload={_RUN}></svg>"
    f"--> ]]> &lt;img data-pwned src=x onerror={_RUN}&gt; "
    "{{ 7919 * 7907 }} ${7919*7907} {% raw %} #{7919*7907} \\u003cb data-pwned\\u003e " + SHORT
)
"""Under 600 letters, the longest that a flow's sentence may be."""
_PRODUCT: Final = str(7919 * 7907)
"""Stands in a page only where a template worked out what somebody said."""

_WATCH = """
window.__alarms = [];
addEventListener("securitypolicyviolation", (event) => {
  window.__alarms.push(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
}, true);
"""
_LOOK = """(product) => {
  const found = [...(window.__alarms ?? ["no alarm is set"])];
  if (window.__pwned !== undefined) found.push("ran");
  for (const element of document.querySelectorAll("*")) {
    const told = element.outerHTML.slice(0, 90);
    if (element.hasAttribute("data-pwned")) found.push(`element: ${told}`);
    if (element.localName === "script" && !element.src.startsWith(`${location.origin}/static/`)) {
      found.push(`script: ${told}`);
    }
    for (const { name, value } of element.attributes) {
      if (/^on|^hx-on|^srcdoc$/.test(name)) found.push(`attribute ${name}: ${told}`);
      const leads = /^(href|src|action|formaction|data|xlink:href)$/.test(name);
      if (leads && /^\\s*(javascript|vbscript|data):/i.test(value)) found.push(`address: ${told}`);
    }
  }
  if (document.documentElement.textContent.includes(product)) found.push("a template worked it out");
  return found;
}"""


@dataclass(frozen=True)
class Alarm:
    """Watches one page of the browser, from before it opens anything."""

    page: Page
    dialogs: list[str] = field(default_factory=list)

    @classmethod
    async def on(cls, page: Page) -> Alarm:
        """Set it."""
        alarm = cls(page)

        async def refuse(dialog: Dialog) -> None:
            alarm.dialogs.append(f"dialog: {dialog.message}")
            await dialog.dismiss()

        page.on("dialog", refuse)
        await page.add_init_script(_WATCH)
        return alarm

    async def harm(self) -> list[str]:
        """What got through in the document that is open now; nothing where all is well."""
        found: list[str] = await self.page.evaluate(_LOOK, _PRODUCT)
        frames = [f"frame: {frame.url}" for frame in self.page.frames[1:]]
        return [*self.dialogs, *frames, *found]
