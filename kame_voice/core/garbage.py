"""The cycle collector, kept from stopping the audio clock."""

from __future__ import annotations

import gc

__all__ = ["spare_what_stays"]


def spare_what_stays() -> None:
    """Take everything that exists now out of later collections: modules, models, settings, flows.

    To be called once the process is warm. A full collection otherwise walks some hundred thousand
    objects that never die, which holds every call up for 100 ms, several times an hour.
    """
    gc.collect()
    gc.freeze()
