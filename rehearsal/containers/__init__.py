"""Real containers on this machine: podman with a storage of its own, a base image, the project's images built on it.

Nothing of a machine's package sources ends in an image: they are read when an image is built, and handed in as secrets.
"""
