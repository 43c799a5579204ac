import select
import socket
from contextlib import ExitStack

import pytest

from serving.process.listening import ListenError, listen
from tests.serving.conftest import keep_free_port


def test_connections_are_spread_over_the_sockets() -> None:
    with ExitStack() as stack:
        port = stack.enter_context(keep_free_port()).getsockname()[1]
        listeners = listen("127.0.0.1", port, 2)
        for listener in listeners:
            stack.enter_context(listener)
        for _ in range(64):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        counts = dict.fromkeys(listeners, 0)
        while sum(counts.values()) < 64:
            # The kernel may take a moment to hand over a connection that its caller has already.
            readable, _, _ = select.select(listeners, (), (), 60)
            assert readable, counts
            for listener in readable:
                stack.enter_context(listener.accept()[0])
                counts[listener] += 1
    assert min(counts.values()) > 0


@pytest.mark.parametrize("workers", [1, 2])
def test_a_port_of_another_server_is_taken_though_that_one_shares_it_with_itself(workers: int) -> None:
    with ExitStack() as stack:
        (first,) = listen("127.0.0.1", 0, 1)
        stack.enter_context(first)
        port = first.getsockname()[1]
        with pytest.raises(ListenError, match=rf"127\.0\.0\.1:{port}: Address already in use; choose another port"):
            listen("127.0.0.1", port, workers)


@pytest.mark.parametrize("host", ["192.0.2.7", "256.0.0.1.example.invalid"])
def test_a_host_that_is_not_of_this_machine_is_named(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if host.endswith("invalid"):
        # A resolver may take its time.
        monkeypatch.setattr(socket, "socket", Nameless)
    with pytest.raises(ListenError, match=rf"{host}:8080: .*; SERVING_HOST must be an address of this machine"):
        listen(host, 8080, 1)


class Nameless(socket.socket):
    """A socket on a machine whose resolver knows nobody."""

    def bind(self, address: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, f"Name or service not known: {address}")
