"""Resource policies decide as IAM's documentation says."""

from typing import Any

import pytest

from rehearsal.aws.policies import Decision, Request, decide

ROLE = "arn:aws:iam::111111111111:role/train"


def ask(action: str = "s3:GetObject", **context: str | None) -> Request:
    known: dict[str, str | None] = {"aws:securetransport": "true", "s3:x-amz-server-side-encryption": None}
    return Request(
        action=action,
        resource="arn:aws:s3:::lake/cars.csv",
        account_id="111111111111",
        principals=(ROLE,),
        context={**known, **{name.replace("__", ":").replace("_", "-"): value for name, value in context.items()}},
    )


def statement(effect: str = "Deny", **members: Any) -> dict[str, Any]:
    whole = {"Effect": effect, "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::lake/*", **members}
    return {"Statement": [whole]}


@pytest.mark.parametrize(
    ("policy", "decision"),
    [
        (statement(Condition={"Bool": {"aws:SecureTransport": "false"}}), "neither"),
        (statement(Condition={"Bool": {"aws:SecureTransport": "true"}}), "deny"),
        (statement(), "deny"),
        (statement("Allow"), "allow"),
        (statement(Action="s3:Put*"), "neither"),
        (statement(Resource="arn:aws:s3:::other/*"), "neither"),
        (statement(Principal={"AWS": ROLE}), "deny"),
        (statement(Principal={"AWS": "arn:aws:iam::111111111111:role/other"}), "neither"),
        (statement(Principal={"AWS": "arn:aws:iam::111111111111:root"}), "deny"),
        (statement(Principal={"Service": "logging.s3.amazonaws.com"}), "neither"),
        (statement(Condition={"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}), "neither"),
        (statement(Condition={"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}), "deny"),
        (statement(Condition={"StringNotEqualsIfExists": {"s3:x-amz-server-side-encryption": "aws:kms"}}), "deny"),
        (statement(Condition={"StringEquals": {"s3:x-amz-server-side-encryption": "AES256"}}), "neither"),
        (statement(Condition={"Null": {"s3:x-amz-server-side-encryption": "true"}}), "deny"),
        (statement(Condition={"Null": {"s3:x-amz-server-side-encryption": "false"}}), "neither"),
    ],
)
def test_a_statement_applies_or_does_not(policy: dict[str, Any], decision: Decision) -> None:
    assert decide(policy, ask()) == decision


def test_a_deny_beats_an_allow() -> None:
    policy = {"Statement": [statement("Allow")["Statement"][0], statement(Action="s3:DeleteObject")["Statement"][0]]}
    assert decide(policy, ask()) == "allow"
    assert decide(policy, ask("s3:DeleteObject")) == "deny"
