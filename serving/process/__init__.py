"""The life of the server: start, readiness, stop."""
