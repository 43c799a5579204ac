"""One concern, one component."""
