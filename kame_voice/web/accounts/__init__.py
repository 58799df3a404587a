"""Pages of people: signing in, their own account, and for admins users and the audit log."""
