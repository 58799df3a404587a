"""The lines: what each says and knows, whether its file is in order, what it was before."""
