"""From landed objects to a versioned table."""
