"""The back end: transcribes the caller and asks, again and again, what the answer should be."""
