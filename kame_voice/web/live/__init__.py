"""The calls that are running: watched, listened to and ended by people."""
