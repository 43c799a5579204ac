"""The commands that speak to the control socket of a running server."""

import argparse
import http.client
import json
import socket
import sys
from collections.abc import Sequence
from typing import cast

from serving.container import Container
from serving.process.channel import Message

_ANSWER_SECONDS = 150.0
"""A little more than a swap may take."""


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket's path."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def status(container: Container) -> int:
    """Print workers and models; 0 when the server is ready."""
    answer = _ask(container, "GET", "/status", None)
    if answer is None:
        return 1
    print(json.dumps(answer, indent=2))
    return 0 if answer.get("ready") else 1


def swap(container: Container, arguments: Sequence[str]) -> int:
    """Have the server put another model in the place of the one it serves; 0 when all its workers did."""
    parser = argparse.ArgumentParser(prog="python -m serving swap", description=swap.__doc__)
    parser.add_argument("folder", help="where the artefact lies, as the server sees it")
    parser.add_argument("--manifest-sha256", default="", help="expected sha256 of its manifest.json")
    parser.add_argument("--release", default="", help="name of the release, for answers and metrics")
    parser.add_argument("--variant", default="", help="which one of several is replaced")
    parser.add_argument("--other-model", action="store_true", help="allow another model, or other features")
    parsed = parser.parse_args(list(arguments))
    answer = _ask(container, "POST", "/model", cast("Message", vars(parsed)))
    if answer is None:
        return 1
    if not answer.get("swapped"):
        print(f"serving: {answer.get('error')}", file=sys.stderr)
        return 1
    print(f"serving: {answer['model']} ({answer['manifest_sha256']}) on {answer['workers']} workers")
    return 0


def _ask(container: Container, method: str, path: str, document: Message | None) -> Message | None:
    """The answer; None after saying why there is none."""
    if container.control_socket is None:
        print("serving: SERVING_CONTROL_SOCKET is not set; expected the server's unix socket", file=sys.stderr)
        return None
    connection = _UnixConnection(str(container.control_socket))
    try:
        connection.request(method, path, body=None if document is None else json.dumps(document))
        return cast("Message", json.loads(connection.getresponse().read()))
    except (OSError, http.client.HTTPException, ValueError) as error:
        print(f"serving: no answer on {container.control_socket}: {error}", file=sys.stderr)
        return None
    finally:
        connection.close()
