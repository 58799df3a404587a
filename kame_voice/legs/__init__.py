"""Transports of one call. Knows audio; knows nothing of front ends, oracles, flows or storage."""
