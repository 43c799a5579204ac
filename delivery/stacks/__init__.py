"""Which stacks there are, which a change touches, and how models move between them."""
