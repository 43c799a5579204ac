"""A real moto server with the gaps filled, and clients of one account on it."""

from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from rehearsal.aws.gaps import install_all
from rehearsal.provider.aws_clients import EnvironmentClients


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
