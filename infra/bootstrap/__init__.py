"""What stands before any stack: where state is kept, who may deploy, and how far their rights reach."""
