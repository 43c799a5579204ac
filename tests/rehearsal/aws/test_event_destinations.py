"""An API destination is really called, with what the connection's secret holds; what is not taken is kept."""

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.slow

NAME = "drivetrain-dev-release-proposed"


class Receiver:
    """An address on this machine that notes what it is sent."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.status = 204
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                authorization = self.headers["Authorization"]
                receiver.requests.append({"path": self.path, "authorization": authorization, "body": body})
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
                """Nothing."""

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/repos/org/repo/dispatches"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.server.shutdown()
    found.server.server_close()


def announce(account: Any, url: str) -> str:
    """Rule, connection and destination; the URL of the queue for what is not delivered."""
    events, sqs = account.client("events"), account.client("sqs")
    queue = sqs.create_queue(QueueName=NAME)["QueueUrl"]
    dead = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    connection = events.create_connection(
        Name=NAME,
        AuthorizationType="API_KEY",
        AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "Authorization", "ApiKeyValue": "none yet"}},
    )["ConnectionArn"]
    destination = events.create_api_destination(
        Name=NAME, ConnectionArn=connection, InvocationEndpoint=url, HttpMethod="POST"
    )["ApiDestinationArn"]
    events.put_rule(Name=NAME, EventPattern=json.dumps({"detail-type": ["Release proposed"]}), State="ENABLED")
    target = {
        "Id": "github",
        "Arn": destination,
        "RoleArn": account.role("announce", allowed="events:InvokeApiDestination"),
        "InputTransformer": {
            "InputPathsMap": {"model": "$.detail.model"},
            "InputTemplate": '{"event_type": "release-proposed", "client_payload": {"model": <model>}}',
        },
        "DeadLetterConfig": {"Arn": dead},
    }
    assert events.put_targets(Rule=NAME, Targets=[target])["FailedEntryCount"] == 0
    return queue


def propose(account: Any) -> None:
    entry = {"Source": "drivetrain-dev", "DetailType": "Release proposed", "Detail": '{"model": "auto-mpg"}'}
    assert account.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def letters(account: Any, queue: str) -> list[dict[str, str]]:
    found = account.client("sqs").receive_message(QueueUrl=queue, MessageAttributeNames=["All"]).get("Messages", [])
    return [{key: value["StringValue"] for key, value in each["MessageAttributes"].items()} for each in found]


def test_a_destination_gets_the_event_and_the_token(account: Any, receiver: Receiver) -> None:
    queue = announce(account, receiver.url)
    events = account.client("events")
    events.update_connection(
        Name=NAME,
        AuthorizationType="API_KEY",
        AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "Authorization", "ApiKeyValue": "Bearer t0ken"}},
    )
    propose(account)
    assert receiver.requests == [
        {
            "path": "/repos/org/repo/dispatches",
            "authorization": "Bearer t0ken",
            "body": {"event_type": "release-proposed", "client_payload": {"model": "auto-mpg"}},
        }
    ]
    assert letters(account, queue) == []
    shown = events.describe_connection(Name=NAME)
    assert shown["AuthParameters"] == {"ApiKeyAuthParameters": {"ApiKeyName": "Authorization"}}
    secret = account.client("secretsmanager").get_secret_value(SecretId=shown["SecretArn"])
    assert json.loads(secret["SecretString"])["api_key_value"] == "Bearer t0ken"


def test_an_answer_that_refuses_is_kept(account: Any, receiver: Receiver) -> None:
    receiver.status = 401
    queue = announce(account, receiver.url)
    propose(account)
    assert [each["authorization"] for each in receiver.requests] == ["none yet"]
    (letter,) = letters(account, queue)
    assert letter["ERROR_CODE"] == "SDK_CLIENT_ERROR"
    assert letter["ERROR_MESSAGE"].endswith("answered 401")
    assert ":api-destination/" in letter["TARGET_ARN"]


def test_plain_http_is_for_this_machine_only(account: Any) -> None:
    queue = announce(account, "http://example.com/dispatches")
    propose(account)
    (letter,) = letters(account, queue)
    assert letter["ERROR_MESSAGE"] == "http://example.com/dispatches: only https is called"
