"""What is watched of a model once it serves."""
