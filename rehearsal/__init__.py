"""The offline AWS that does the work."""
