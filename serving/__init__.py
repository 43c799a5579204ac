"""What the serving image runs."""
