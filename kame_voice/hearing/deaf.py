"""An ear that hears no voice and no turns: for line tests, in which only the audio path counts."""

from __future__ import annotations

from kame_voice.core.nouns import Pcm
from kame_voice.hearing.base import HeardFrame

__all__ = ["DeafEar"]


class DeafEar:
    """Hands every frame on as it is."""

    def listen(self, pcm: Pcm, at_ms: int) -> HeardFrame:
        """See `Listener.listen`."""
        return HeardFrame(pcm, at_ms, voiced=False)

    def agent_played(self, pcm: Pcm, at_ms: int) -> None:
        """See `Listener.agent_played`: there is no echo to know."""

    def expect_end(self, silence_ms: int, heard_to_ms: int) -> None:
        """See `Listener.expect_end`: there are no turns to end."""
