"""The token with which a stack reaches GitHub is handed over whole, or refused with what would be right."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from delivery.releases.announcement import AnnouncementError, hand_over
from infra.names import Names

NAMES = Names(project="drivetrain", stack="dev", account_id="222222222222", region="eu-west-1")


class Events:
    def __init__(self, refusal: str = "") -> None:
        self.refusal = refusal
        self.updates: list[dict[str, Any]] = []

    def update_connection(self, **update: Any) -> None:
        if self.refusal:
            raise ClientError({"Error": {"Code": self.refusal, "Message": "no"}}, "UpdateConnection")
        self.updates.append(update)

    def describe_connection(self, Name: str) -> dict[str, str]:
        return {"SecretArn": f"arn:secret:{Name}"}


def test_a_token_becomes_the_header_that_github_wants() -> None:
    events: Any = Events()
    assert hand_over(events, NAMES, "ghp_1") == "arn:secret:drivetrain-dev-release-proposed"
    assert events.updates == [
        {
            "Name": "drivetrain-dev-release-proposed",
            "AuthorizationType": "API_KEY",
            "AuthParameters": {"ApiKeyAuthParameters": {"ApiKeyName": "Authorization", "ApiKeyValue": "Bearer ghp_1"}},
        }
    ]


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak"])
def test_what_is_no_token_is_not_handed_over(token: str) -> None:
    events: Any = Events()
    with pytest.raises(AnnouncementError, match="that is no token"):
        hand_over(events, NAMES, token)
    assert events.updates == []


def test_a_stack_that_announces_nothing_is_told_how_to() -> None:
    events: Any = Events("ResourceNotFoundException")
    with pytest.raises(AnnouncementError, match=r"github\.repository` in Pulumi\.dev\.yaml"):
        hand_over(events, NAMES, "ghp_1")
    denied: Any = Events("AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        hand_over(denied, NAMES, "ghp_1")
