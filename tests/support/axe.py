"""axe-core and a phone's measures, taken of the page that a browser shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Page

__all__ = ["small_targets", "unfold", "violations", "wider_than_the_screen"]

_AXE: Final = (Path(__file__).parents[1] / "vendor" / "axe.min.js").read_text(encoding="utf-8")
_RUN: Final = """
axe.run(%s, { resultTypes: ["violations"], rules: { "target-size": { enabled: true } } })
  .then(({ violations }) => violations
    .filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(" ")}`))
"""
_SMALL: Final = """(least) => {
  const isHit = (one, x, y) => {
    const hit = document.elementFromPoint(x, y);
    return hit !== null && (one.contains(hit) || (one.closest("label")?.contains(hit) ?? false));
  };
  const found = [];
  for (const one of document.querySelectorAll("button, .button, select, input, textarea, summary, nav a")) {
    if (!one.checkVisibility({ visibilityProperty: true }) || one.disabled) continue;
    one.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
    const { left, right, top, bottom, width, height } = one.getBoundingClientRect();
    if (width < 2 || height < 2) continue;  // for screen readers only
    const wide = Math.max(width, one.closest("label")?.clientWidth ?? 0);
    const [x, y, reach] = [(left + right) / 2, (top + bottom) / 2, Math.max(least, height) / 2 - 1];
    if (isHit(one, x, y - reach) && isHit(one, x, y + reach) && wide >= 24) continue;
    const name = (one.getAttribute("aria-label") ?? one.textContent).trim().slice(0, 30);
    found.push(`${one.localName} ${one.className} “${name}” of ${Math.round(width)} × ${Math.round(height)}`);
  }
  return found;
}"""
"""Tried with a finger that lands a little above and below: what feels larger than it looks is as large."""


async def violations(page: Page, within: str | None = None) -> list[str]:
    """What axe-core finds serious or critical; targets under 24 px (WCAG 2.5.8) among it.

    `within`: a selector of what alone is looked at.
    """
    # Through the debugger: the page's own policy lets in no script that is not its own.
    client = await page.context.new_cdp_session(page)
    loaded = await client.send("Runtime.evaluate", {"expression": "typeof axe", "returnByValue": True})
    if loaded["result"]["value"] == "undefined":
        await client.send("Runtime.evaluate", {"expression": _AXE})
    run = _RUN % (f"{{ include: [[{json.dumps(within)}]] }}" if within else "document")
    told: dict[str, Any] = await client.send(
        "Runtime.evaluate", {"expression": run, "awaitPromise": True, "returnByValue": True}
    )
    await client.detach()
    assert "exceptionDetails" not in told, told
    found: list[str] = told["result"]["value"]
    return found


async def unfold(page: Page, which: str) -> bool:
    """Open what is folded away; false where there was nothing of it."""
    opened: int = await page.evaluate(
        "(which) => [...document.querySelectorAll(which)].filter((one) => !one.open)"
        ".map((one) => { one.open = true; }).length",
        which,
    )
    return bool(opened)


async def wider_than_the_screen(page: Page) -> int:
    """By how many pixels the page must be pushed sideways to be read; 0 where it fits."""
    wider: int = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return max(0, wider)


async def small_targets(page: Page, least: int = 40) -> list[str]:
    """Controls that a finger misses which lands `least` / 2 CSS pixels from their middle."""
    found: list[str] = await page.evaluate(_SMALL, least)
    return found
