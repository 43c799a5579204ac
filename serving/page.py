"""The page at `/`: a form made from the specification, and the training distribution that a prediction lies in."""

HEADERS: dict[str, str] = {}
STATIC: tuple[str, ...] = ()
