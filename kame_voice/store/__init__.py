"""What is kept of a call: database and recordings."""
