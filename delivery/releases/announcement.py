"""The token with which a stack tells GitHub of proposed releases, handed to EventBridge and kept nowhere else."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from delivery.errors import DeliveryError
from infra.names import Names

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient

HEADER = "Authorization"


class AnnouncementError(DeliveryError):
    """The token cannot be handed over; the message says why, and what would be right."""


def hand_over(events: "EventBridgeClient", names: Names, token: str) -> str:
    """Have the stack's connection authorise with `token`; the ARN of the secret in which EventBridge keeps it.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-target-connection-auth.html
    """
    if not token or any(each.isspace() for each in token):
        raise AnnouncementError(
            "that is no token: one word without spaces is right, such as what `gh auth token` prints, on standard input"
        )
    try:
        events.update_connection(
            Name=names.announcement,
            AuthorizationType="API_KEY",
            AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": HEADER, "ApiKeyValue": f"Bearer {token}"}},
        )
        return str(events.describe_connection(Name=names.announcement).get("SecretArn", ""))
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ResourceNotFoundException":
            raise
        raise AnnouncementError(
            f"the stack {names.stack} has no connection {names.announcement}: it is declared with `github.repository` "
            f"in Pulumi.{names.stack}.yaml and made by the next deployment"
        ) from error
