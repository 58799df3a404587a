"""The audit trail: what people do that reveals or changes a call, handed to the record writer."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from kame_voice.accounts.viewer import Via, Viewer
from kame_voice.store.rows import AuditRow

__all__ = ["Action", "AuditTrail"]


class Action(StrEnum):
    """What can be done, by group; `docs/users.md` explains each."""

    CALL_OPEN = "call.open"
    CALL_LISTEN = "call.listen"
    CALL_EXPORT = "call.export"
    CALL_SEARCH = "call.search"
    CALL_NOTE = "call.note"
    CALL_TAG = "call.tag"
    CALL_DISPOSITION = "call.disposition"
    CALL_DELETE = "call.delete"
    LIVE_WATCH = "live.watch"
    LIVE_LISTEN = "live.listen"
    LIVE_WHISPER = "live.whisper"
    LIVE_HANG_UP = "live.hang-up"
    LINE_ASK = "line.ask"
    SIGN_IN = "sign-in.done"
    SIGN_IN_FAILED = "sign-in.failed"
    SIGN_OUT = "sign-in.out"
    PASSWORD = "account.password"
    TOKEN_NEW = "account.token-new"
    TOKEN_REVOKE = "account.token-revoke"
    USER_ADD = "user.add"
    USER_ROLE = "user.role"
    USER_CUSTOMERS = "user.customers"
    USER_LINK = "user.link"
    USER_DISABLE = "user.disable"
    USER_ENABLE = "user.enable"
    USER_SIGN_OUT = "user.sign-out"


class AuditTrail:
    """Records entries without waiting: `put` is the store writer's, which has them on disk within a second.

    The writer keeps what cannot be written yet, and counts and logs a loss (`record_dropped{kind="audit"}`).
    """

    def __init__(
        self, put: Callable[[AuditRow], None], now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._put = put
        self._now = now

    def record(
        self,
        action: Action,
        viewer: Viewer | None,
        *,
        address: str | None = None,
        call_id: str | None = None,
        customer: str | None = None,
        who: str = "",
        via: Via = Via.NOBODY,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """Note that `viewer` did `action`; `who` and `via` say who it was where there is no viewer."""
        self._put(
            AuditRow(
                id=uuid.uuid4().hex,
                at=self._now(),
                user_id=viewer.user_id if viewer else None,
                who=(viewer.name if viewer else who)[:64],
                via=(viewer.via if viewer else via).value,
                action=action.value,
                address=address[:64] if address else None,
                call_id=call_id,
                customer=customer,
                data=dict(data or {}),
            )
        )
