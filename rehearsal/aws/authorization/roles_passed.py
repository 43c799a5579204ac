"""Roles that a call hands to a service: `iam:PassRole` on each, for that service."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from rehearsal.aws.authorization.resources import role_arn

_SERVICES: Final = {
    "application-autoscaling": "application-autoscaling.amazonaws.com",
    "ec2": "vpc-flow-logs.amazonaws.com",
    "events": "events.amazonaws.com",
    "glue": "glue.amazonaws.com",
    "lakeformation": "lakeformation.amazonaws.com",
    "lambda": "lambda.amazonaws.com",
    "logs": "logs.amazonaws.com",
    "s3": "s3.amazonaws.com",
    "sagemaker": "sagemaker.amazonaws.com",
    "sns": "sns.amazonaws.com",
    "states": "states.amazonaws.com",
}
"""To whom a role goes that a call of the service names."""
_HANDS_OVER = re.compile(r"Create|Update|Put|Register|Start|Set|Modify")
_MEMBER = re.compile(r"(.*Role(Arn)?|DeliverLogsPermissionArn)", re.IGNORECASE)


def passed(service: str, operation: str, parameters: Mapping[str, Any], account_id: str) -> Iterator[tuple[str, str]]:
    """The ARN of every role that the call hands over, and the service that gets it."""
    if service not in _SERVICES or not _HANDS_OVER.match(operation):
        return
    for role in _roles(parameters):
        arn = role if role.startswith("arn:") else role_arn(role, account_id)
        # a service-linked role is the service's own, whoever names it
        if ":role/aws-service-role/" not in arn:
            yield arn, _SERVICES[service]


def _roles(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in cast("Mapping[str, Any]", value).items():
            if isinstance(inner, str):
                if inner and _MEMBER.fullmatch(name):
                    yield inner
            else:
                yield from _roles(inner)
    elif isinstance(value, list):
        for entry in cast("list[Any]", value):
            yield from _roles(entry)
