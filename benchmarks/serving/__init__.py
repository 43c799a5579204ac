"""The server beside its peers and the physical limit, measured in one run: `make bench-serving`."""
