"""How identity policies, boundary, session policy and a resource's own policy add up."""

from typing import Any

import pytest

from rehearsal.aws.authorization.decision import AccessDeniedError, Question, check
from rehearsal.aws.authorization.principals import Principal
from rehearsal.aws.authorization.roles_passed import passed

HOME, ABROAD = "111111111111", "222222222222"
ROLE = f"arn:aws:iam::{HOME}:role/train"
ACTION = "kms:Decrypt"


def says(effect: str = "Allow", **members: Any) -> dict[str, Any]:
    return {"Statement": [{"Effect": effect, "Action": ACTION, "Resource": "*", **members}]}


def to(principal: str) -> dict[str, Any]:
    return says(Principal={"AWS": principal})


def ask(
    *policies: dict[str, Any],
    boundary: Any = None,
    session: Any = None,
    resource: Any = None,
    owner: str = HOME,
    rules: bool = False,
) -> str:
    """`allowed`, or the reason of the refusal."""
    who = Principal(
        arn=f"arn:aws:sts::{HOME}:assumed-role/train/s",
        names=(f"arn:aws:sts::{HOME}:assumed-role/train/s", ROLE),
        account_id=HOME,
        kind="AssumedRole",
        policies=policies,
        boundary=boundary,
        session=session,
    )
    question = Question(
        principal=who,
        action=ACTION,
        resource="key",
        context={},
        owner_id=owner,
        resource_policy=resource,
        resource_rules=rules,
    )
    try:
        check(question)
    except AccessDeniedError as error:
        return str(error).partition("resource: key ")[2]
    return "allowed"


NO_IDENTITY = f"because no identity-based policy allows the {ACTION} action"
NO_RESOURCE = f"because no resource-based policy allows the {ACTION} action"
ROOT = f"arn:aws:iam::{HOME}:root"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (ask(), NO_IDENTITY),
        (ask(says()), "allowed"),
        (ask(says(), says("Deny")), "with an explicit deny in an identity-based policy"),
        (ask(says(), boundary={"Statement": []}), f"because no permissions boundary allows the {ACTION} action"),
        (ask(says(), boundary=says()), "allowed"),
        (ask(says(), boundary=says("Deny")), "with an explicit deny in a permissions boundary"),
        (ask(says(), session={"Statement": []}), f"because no session policy allows the {ACTION} action"),
        (ask(resource=to(ROLE)), "allowed"),
        (ask(resource=to(ROOT)), NO_IDENTITY),
        (ask(says(), resource=to(ROOT)), "allowed"),
        (ask(says(), resource=says("Deny", Principal="*")), "with an explicit deny in a resource-based policy"),
        (ask(says(), rules=True), NO_RESOURCE),
        (ask(says(), resource=to(ROOT), rules=True), "allowed"),
        (ask(resource=to(ROOT), rules=True), NO_IDENTITY),
        (ask(resource=to(ROLE), rules=True), "allowed"),
        (ask(says(), owner=ABROAD), NO_RESOURCE),
        (ask(resource=to(ROLE), owner=ABROAD), NO_IDENTITY),
        (ask(says(), resource=to(ROLE), owner=ABROAD), "allowed"),
    ],
)
def test_policies_add_up(found: str, expected: str) -> None:
    assert found == expected


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("sagemaker", "CreateTrainingJob", {"RoleArn": ROLE}, [(ROLE, "sagemaker.amazonaws.com")]),
        ("sagemaker", "DescribeTrainingJob", {"RoleArn": ROLE}, []),
        ("events", "PutTargets", {"Targets": [{"RoleArn": ROLE}, {"Id": "x"}]}, [(ROLE, "events.amazonaws.com")]),
        ("states", "CreateStateMachine", {"roleArn": ROLE}, [(ROLE, "states.amazonaws.com")]),
        ("glue", "CreateJob", {"Role": "train"}, [(ROLE, "glue.amazonaws.com")]),
        ("ec2", "CreateFlowLogs", {"DeliverLogsPermissionArn": ROLE}, [(ROLE, "vpc-flow-logs.amazonaws.com")]),
        ("iam", "CreateRole", {"RoleName": "train"}, []),
    ],
)
def test_roles_that_a_call_hands_over(
    service: str, operation: str, parameters: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert list(passed(service, operation, parameters, HOME)) == expected
