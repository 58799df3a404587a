"""The first page: what the calls of some days come to."""
