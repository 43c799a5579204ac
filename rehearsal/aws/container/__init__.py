"""What every rehearsed container finds on its path."""
