"""What can go wrong with the speech engine, in words for the person who runs it."""

from __future__ import annotations

from kame_voice.core.errors import KameError

__all__ = ["CheckpointError", "EngineFaulted", "EngineMissing", "NotEnoughRoom", "VectorsError"]


class EngineMissing(KameError):
    """The speech engine's libraries are not installed."""

    code = "engine-missing"


class CheckpointError(KameError):
    """A checkpoint's file is missing, truncated, or of another model."""

    code = "bad-checkpoint"


class NotEnoughRoom(KameError):
    """The disk, the memory or the card is too small for the model and its calls."""

    code = "not-enough-room"


class EngineFaulted(KameError):
    """The engine computed nonsense or its device failed; it restarts, its calls end."""

    code = "engine-faulted"


class VectorsError(KameError):
    """Reference vectors are missing or malformed."""

    code = "bad-vectors"
