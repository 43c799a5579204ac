"""Ports of this machine for servers that have to be told one: free when they are chosen, and maybe not for long."""

import socket

HOST = "127.0.0.1"
TRIES = 3
"""How many ports a server is started on, one after the other, when somebody else takes each before it does."""


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def taken(port: int) -> bool:
    """Whether somebody has the port; connections that were closed on it do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False
