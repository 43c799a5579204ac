"""A port that is free when it is chosen, and whether somebody has it by now."""

import socket

from rehearsal import ports


def used_and_closed() -> int:
    """A port with a connection that was closed on it, which keeps it busy for a while."""
    with socket.create_server((ports.HOST, 0)) as listening:
        port = int(listening.getsockname()[1])
        with socket.create_connection((ports.HOST, port)):
            listening.accept()[0].close()
        assert ports.taken(port)
    return port


def test_a_port_is_taken_only_as_long_as_somebody_listens_on_it() -> None:
    # Of several, as somebody else on this machine may take any one of them in between.
    assert not all(ports.taken(used_and_closed()) for _ in range(ports.TRIES))


def test_a_free_port_is_not_taken() -> None:
    assert not all(ports.taken(ports.free_port()) for _ in range(ports.TRIES))
