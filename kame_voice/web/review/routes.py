"""All routes of the review, in the order in which they are to be tried."""

from __future__ import annotations

from fastapi import APIRouter

from kame_voice.web.review import call_list, deletion, exports, judgements, one_call, unknown
from kame_voice.web.review.parts import ReviewParts

__all__ = ["routers"]


def routers(parts: ReviewParts) -> list[APIRouter]:
    """The list comes first: `/calls/rows` is not the call "rows"."""
    return [module.router(parts) for module in (call_list, exports, judgements, one_call, deletion, unknown)]
