"""A person without a mouse: Tab from one thing to the next, seeing where they are."""

from __future__ import annotations

from typing import Any, Final

from playwright.async_api import Locator, Page

__all__ = ["tab_to", "where_tab_leads_wrong"]

_MOST_STOPS: Final = 200
_MOST_PARTS: Final = 8
"""Stops within one element: day, month, year and calendar of a date."""
_HERE: Final = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  window.__stops ??= new Set();
  const isSame = one === [...window.__stops].at(-1);  // as within a date
  const isFirstAgain = !isSame && one === [...window.__stops][0];
  window.__stops.add(one);
  const style = getComputedStyle(one);
  const isRinged = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  const boxes = [...one.getClientRects()];
  const isSeen = boxes.some(({ left, right, top, bottom }) => [0.1, 0.5, 0.9].some((part) => {
    const hit = document.elementFromPoint(left + (right - left) * part, top + (bottom - top) * part);
    return hit !== null && one.contains(hit);
  }));
  const name = (one.getAttribute("aria-label") ?? one.labels?.[0]?.textContent ?? one.textContent).trim();
  return { name: `${one.localName} “${name.slice(0, 40)}”`, isSame, isFirstAgain, isRinged, isSeen };
}"""
_MISSED: Final = """() => [...document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, [tabindex='0']")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled && one.tabIndex >= 0)
  .filter((one) => one.type !== "hidden" && !window.__stops?.has(one))
  .map((one) => [one, (one.getAttribute("aria-label") ?? one.textContent).trim().slice(0, 40)])
  .map(([one, name]) => `${one.localName} “${name}”`)
"""


async def where_tab_leads_wrong(page: Page) -> list[str]:
    """Go by Tab through the whole page, and say what is wrong on the way.

    A stop without a ring to see it by, one that something lies over, a place that Tab does not get out of,
    and what can be used but is never reached.
    """
    wrong: list[str] = []
    same, is_round = 0, False
    for _ in range(_MOST_STOPS):
        await page.keyboard.press("Tab")
        here: dict[str, Any] | None = await page.evaluate(_HERE)
        if here is None:
            is_round = True  # the browser's own bar, between the page's end and its beginning
            continue
        if here["isFirstAgain"] or (is_round and here["isSame"]):
            break
        same = same + 1 if here["isSame"] else 0
        if same > _MOST_PARTS:
            wrong.append(f"Tab does not get out of {here['name']}")
            break
        if here["isSame"]:
            continue
        if not here["isRinged"]:
            wrong.append(f"{here['name']} shows no focus")
        if not here["isSeen"]:
            wrong.append(f"{here['name']} has the focus and cannot be seen")
    else:
        wrong.append(f"after {_MOST_STOPS} stops Tab had not been round")
    missed: list[str] = await page.evaluate(_MISSED)
    return wrong + [f"{name} is never reached" for name in missed]


async def tab_to(page: Page, wanted: Locator, *, back: bool = False) -> None:
    """Press Tab until `wanted` has the focus, and see that it shows."""
    await wanted.wait_for()
    for _ in range(_MOST_STOPS):
        await page.keyboard.press("Shift+Tab" if back else "Tab")
        if await wanted.evaluate("one => one === document.activeElement"):
            here: dict[str, Any] = await page.evaluate(_HERE)
            assert here["isRinged"], here["name"]
            assert here["isSeen"], here["name"]
            return
    raise AssertionError(f"Tab never reaches {wanted}")
