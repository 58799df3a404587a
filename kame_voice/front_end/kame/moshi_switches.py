"""moshi's two process-wide switches, set once and for good (moshi).

Its context managers set and restore module globals, so that two threads that use them see each other's:
a worker that leaves one turns compilation back on in the middle of the engine's step.
"""

from __future__ import annotations

from moshi.utils import compile as switches

__all__ = ["set_moshi_switches"]


def set_moshi_switches(*, compile_kernels: bool = False) -> None:
    """No graphs of moshi's own: here the whole tick is one graph, or none. Kernels compiled if asked."""
    switches._disable_cuda_graph = True
    switches._compile_disabled = not compile_kernels
