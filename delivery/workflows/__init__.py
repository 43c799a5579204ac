"""What the workflows ask of this checkout and of GitHub."""
