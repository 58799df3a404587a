"""How the tables came to be: Alembic's revisions, applied when the server starts."""
