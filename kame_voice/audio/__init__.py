"""Samples and frames: G.711, resampling, framing, playout. Pure but for the libraries it wraps."""
