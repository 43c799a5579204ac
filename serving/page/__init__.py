"""The page to try the model, and what it is made of."""
