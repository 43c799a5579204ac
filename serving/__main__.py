"""`python -m serving serve` is the container; the other commands speak to a running one on the same machine.

ping            whether it is ready (the image's HEALTHCHECK)
status          its workers and models
swap FOLDER     put the artefact in FOLDER in the place of the model that is served
"""

import os
import sys
from collections.abc import Mapping, Sequence

from serving.container import Container, EnvironmentVariableError, read_address, read_container

# Where a server is asked that listens on all addresses.
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
_USAGE = "usage: python -m serving serve | ping | status | swap FOLDER [--manifest-sha256 HEX] [--variant NAME] …"


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the command named in `arguments`; the exit status is 0, 1 for a failure, 2 for a wrong command line."""
    command, *rest = arguments or [""]
    if command not in ("serve", "ping", "status", "swap") or (rest and command != "swap"):
        print(f"{_USAGE}; got {' '.join(arguments) or 'nothing'}", file=sys.stderr)
        return 2
    try:
        if command == "ping":
            return ping(*read_address(environ))
        container = read_container(environ)
    except EnvironmentVariableError as error:
        print(f"serving: {error}", file=sys.stderr)
        return 1
    if command == "serve":
        return serve(container)
    # A health check every few seconds should not pay for importing the client.
    from serving.process import client  # noqa: PLC0415

    return client.status(container) if command == "status" else client.swap(container, rest)


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


def ping(host: str, port: int) -> int:
    """0 when the server on this machine answers 200, else 1 with the reason."""
    # What serves should not pay for importing a client.
    import http.client  # noqa: PLC0415

    asked = _LOOPBACK.get(host, host)
    connection = http.client.HTTPConnection(asked, port, timeout=2)
    try:
        connection.request("GET", "/ping")
        answer = connection.getresponse()
        reason = answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        print(f"serving: no answer on {asked}, port {port}: {reason}", file=sys.stderr)
        return 1
    finally:
        connection.close()
    if answer.status != 200:
        print(f"serving: not ready: {reason}", file=sys.stderr)
    return 0 if answer.status == 200 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
