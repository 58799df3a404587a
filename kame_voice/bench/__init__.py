"""Benchmarks that compare two things in one run."""
