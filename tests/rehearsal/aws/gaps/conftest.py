"""Plain boto3 clients of a moto server whose gaps are filled."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

from rehearsal.aws.gaps import install_all


@pytest.fixture(scope="module")
def client() -> Iterator[Callable[[str], Any]]:
    """`client("glue")`, for eu-west-1 of moto's own account."""
    install_all()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    session: Any = boto3.Session("test", "test", region_name="eu-west-1")
    config = Config(retries={"total_max_attempts": 1})
    yield lambda service: session.client(service, endpoint_url=f"http://{host}:{port}", config=config)
    server.stop()
