"""The fronts: HTTP turned into calls of the core."""
