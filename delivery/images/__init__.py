"""Container images by content: planned, signed, verified, copied by digest."""
