"""A real moto server with the gaps filled, and clients of one account on it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from rehearsal.aws.gaps import install_all
from rehearsal.provider import lifecycle
from rehearsal.provider.aws_clients import EnvironmentClients
from rehearsal.provider.registry import handler_of


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    install_all()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def aws(moto_url: str) -> EnvironmentClients:
    return EnvironmentClients(
        {
            "AWS_ENDPOINT_URL": moto_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "eu-west-1",
        }
    )


@pytest.fixture
def made(aws: EnvironmentClients) -> Iterator[Callable[..., tuple[str, dict[str, Any]]]]:
    """Make a resource that is deleted again, twice, after the test: what is gone already is no error."""
    done: list[tuple[str, str, dict[str, Any]]] = []

    def make(token: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        created = lifecycle.create(handler_of(token), aws, inputs)
        done.append((token, created.id, created.outputs))
        return created.id, created.outputs

    yield make
    for token, resource_id, state in reversed(done):
        for _ in range(2):
            lifecycle.delete(handler_of(token), aws, resource_id, state)
