"""A caller of our own: speaks the carrier's side of the wire."""
