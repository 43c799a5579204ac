"""A stack with a repository, applied by its deploy role, tells GitHub of a proposed release: here, this machine."""

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from delivery.releases.announcement import hand_over

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Receiver(http.server.HTTPServer):
    """Notes what it is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, str | None, Any]] = []


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert isinstance(self.server, Receiver)
        self.server.requests.append((self.path, self.headers["Authorization"], body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield found
    found.shutdown()
    found.server_close()


def test_a_proposed_release_reaches_github_with_the_token_that_was_handed_over(stacks: Any, receiver: Receiver) -> None:
    stack = stacks["dev"]
    events, name = stack.client("events"), stack.names.announcement
    declared = events.describe_api_destination(Name=name)["InvocationEndpoint"]
    assert declared == "https://api.github.com/repos/org/repo/dispatches"
    assert hand_over(events, stack.names, "t0ken").startswith("arn:aws:secretsmanager:")
    detail = json.dumps({"model": "auto-mpg", "execution": "e-1", "proposal": "s3://b/k"})
    entry = {"Source": stack.names.event_source, "DetailType": "Release proposed", "Detail": detail}
    events.update_api_destination(
        Name=name, InvocationEndpoint=f"http://127.0.0.1:{receiver.server_address[1]}/repos/org/repo/dispatches"
    )
    try:
        assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0
    finally:
        events.update_api_destination(Name=name, InvocationEndpoint=declared)
    payload = {"model": "auto-mpg", "stack": "dev", "execution": "e-1"}
    assert receiver.requests == [
        (
            "/repos/org/repo/dispatches",
            "Bearer t0ken",
            {"event_type": "release-proposed", "client_payload": payload},
        )
    ]


def test_no_state_has_the_token(stacks: Any) -> None:
    stack = stacks["dev"]
    hand_over(stack.client("events"), stack.names, "t0ken-of-nobody")
    assert stack.up().changed == 0
    assert "no token yet" in stack.state.read_text()
    assert "t0ken" not in stack.state.read_text()
