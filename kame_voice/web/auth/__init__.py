"""Who is asking, on every route: sessions, bearer tokens, roles, CSRF."""
