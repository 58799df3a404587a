"""Who may see what: users, how they prove who they are, and what they did. Knows no HTTP."""
