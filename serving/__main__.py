"""`python -m serving serve` is the container; `ping` asks a running one if it is ready (the image's HEALTHCHECK)."""

import http.client
import os
import sys
from collections.abc import Mapping, Sequence

from serving.container import Container, EnvironmentVariableError, read_container

_USAGE = "usage: python -m serving serve | ping"


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the command named in `arguments`; the exit status is 0, 1 for a failure, 2 for a wrong command line."""
    if list(arguments) not in (["serve"], ["ping"]):
        print(f"{_USAGE}; got {' '.join(arguments) or 'nothing'}", file=sys.stderr)
        return 2
    try:
        container = read_container(environ)
    except EnvironmentVariableError as error:
        print(f"serving: {error}", file=sys.stderr)
        return 1
    return ping(container) if arguments[0] == "ping" else serve(container)


def serve(container: Container) -> int:
    """Serve until told to stop."""
    # A health check every few seconds should not pay for importing the server.
    from serving.process import server  # noqa: PLC0415

    try:
        server.serve(container)
    except server.ServeError as error:
        print(f"serving: {error}", file=sys.stderr)
        return 1
    return 0


def ping(container: Container) -> int:
    """0 when the server on this machine answers 200, else 1 with the reason."""
    connection = http.client.HTTPConnection("127.0.0.1", container.port, timeout=2)
    try:
        connection.request("GET", "/ping")
        answer = connection.getresponse()
        reason = answer.read().decode(errors="replace")
    except OSError as error:
        print(f"serving: no answer on port {container.port}: {error}", file=sys.stderr)
        return 1
    finally:
        connection.close()
    if answer.status != 200:
        print(f"serving: not ready: {reason}", file=sys.stderr)
    return 0 if answer.status == 200 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
