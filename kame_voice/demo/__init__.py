"""A record to look at: many calls of all kinds, placed in earnest against a server of our own."""
