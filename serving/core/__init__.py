"""The core: bytes of a request in, bytes of an answer out. It knows nothing of HTTP."""
