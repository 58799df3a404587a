"""Errors a person is meant to read: what went wrong, where, and what to do about it."""

from __future__ import annotations

__all__ = ["KameError"]


class KameError(Exception):
    """Base of every error this project raises on purpose.

    Subclasses set `code`, a stable kebab-case name that logs, metrics, events and docs use.
    `what` says what is wrong, `where` names the file, setting or field, `do` says what mends it.
    """

    code = "error"

    def __init__(self, what: str, *, where: str | None = None, do: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.do = do

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} — {self.do}" if self.do else text

    @property
    def sentences(self) -> str:
        """For a page: what is wrong and what to do, as sentences."""
        return " ".join(f"{part[:1].upper()}{part[1:]}." for part in (self.what, self.do) if part)
