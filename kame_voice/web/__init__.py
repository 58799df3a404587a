"""The HTTP face: telephony webhooks, the API, health."""
