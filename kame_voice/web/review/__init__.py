"""The pages and API of the calls that were taken: list, one call, what we did not know, exports."""
