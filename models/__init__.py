"""What the platform knows of models: their specifications, their rows and their releases."""
