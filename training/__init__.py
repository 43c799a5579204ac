"""What the training image runs."""
