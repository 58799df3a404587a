"""The front end for a GPU: the four-stream speech model, one engine for many calls.

The modules `cursor`, `words`, `seats`, `script`, `seat_state` and `plan` are pure: they import
without torch. Everything that imports torch or moshi says so in its first line.
"""
