"""What the cases of the handler tests are made of, and names they share."""

from dataclasses import dataclass, field
from typing import Any

ACCOUNT = "123456789012"
REGION = "eu-west-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-1111-1111-1111-111111111111"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/drivetrain-local-train"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:drivetrain-local-alarms"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:drivetrain-local-dead"
TAGS = {"tags": {"Model": "auto-mpg"}, "tagsAll": {"Model": "auto-mpg", "Project": "drivetrain"}}
RETAGGED = {"tags": {"Owner": "me"}, "tagsAll": {"Owner": "me", "Project": "drivetrain"}}
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/drivetrain-local-serving@sha256:{'a' * 64}"
DEFINITION = '{"StartAt":"Done","States":{"Done":{"Type":"Succeed"}}}'
PATTERN = '{"source":["aws.s3"]}'
POLICY = '{"Version":"2012-10-17","Statement":[]}'


@dataclass(frozen=True)
class Case:
    """`inputs` make the resource, `update` are the inputs that change; `needs` are cases made before it."""

    inputs: dict[str, Any]
    update: dict[str, Any] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
