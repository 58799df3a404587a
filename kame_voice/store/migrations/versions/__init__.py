"""One revision a file, in the order that each names."""
