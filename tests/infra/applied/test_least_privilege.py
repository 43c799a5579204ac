"""Every role is refused what it must not do and let do what it must, each call really made; the policies are linted."""

import fnmatch
import json
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.names import Names
from infra.settings import load_settings
from infra.sources import project_directory
from rehearsal.aws.authorization import context
from rehearsal.aws.policies import condition_keys
from rehearsal.provider.aws_clients import EnvironmentClients
from tests.infra.applied.conftest import BOOTSTRAPPED
from tests.infra.applied.must_deny.calls import MODEL, PAGE, Case, Place
from tests.infra.applied.must_deny.table import CASES, page, role_arn

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def place(stacks: Any) -> Place:
    """The applied stack dev, with something at each key that a role may read."""
    stack = stacks["dev"]
    names: Names = stack.names
    aliases = {each["AliasName"]: each for each in stack.client("kms").list_aliases()["Aliases"]}

    def key(alias: str) -> str:
        return str(
            stack.client("kms").describe_key(KeyId=aliases[f"alias/{alias}"]["TargetKeyId"])["KeyMetadata"]["Arn"]
        )

    machine = stack.client("stepfunctions").describe_state_machine(stateMachineArn=names.state_machine_arn(MODEL))
    network = json.loads(machine["definition"])["States"]["Train"]["Parameters"]["VpcConfig"]
    found = Place(
        names=names,
        other=load_settings(project_directory(), "staging").names,
        data_key=key(f"{names.prefix}-data"),
        state_key=key(names.state_key_alias),
        signing_key=key(names.signing_key_alias),
        subnets=network["Subnets"],
        security_group=network["SecurityGroupIds"][0],
    )
    s3 = stack.client("s3")
    for bucket, path in (
        (names.bucket("landing"), f"{MODEL}/a.txt"),
        (names.bucket("landing"), f"{MODEL}/a.csv"),
        (names.bucket("lake"), found.table("curated")),
        (names.bucket("lake"), f"exports/{MODEL}/a.parquet"),
        (names.bucket("artifacts"), f"models/{MODEL}/a"),
        (names.bucket("capture"), f"async/{MODEL}/answers/b.out"),
        (names.state_bucket, ".pulumi/stacks/drivetrain/dev.json"),
    ):
        s3.put_object(Bucket=bucket, Key=path, Body=b"1")
    return found


@pytest.fixture(scope="module")
def client_of(stacks: Any, place: Place) -> Callable[[Case], Any]:
    """The client with which a case's role makes its call; one session per role."""
    sessions: dict[str, EnvironmentClients] = {}

    def client(case: Case) -> Any:
        if case.role not in sessions:
            variables = stacks.rehearsal.session(role_arn(place.names, case.role), place.names.region)
            sessions[case.role] = EnvironmentClients(variables)
        return sessions[case.role].client(case.service)

    return client


@pytest.mark.parametrize("case", [case for case in CASES if case.refused], ids=lambda case: case.title)
def test_a_role_is_refused(case: Case, place: Place, client_of: Callable[[Case], Any]) -> None:
    with pytest.raises(ClientError, match=f"is not authorized to perform: {case.refused} on resource: "):
        case.call(client_of(case), place)


@pytest.mark.parametrize("case", [case for case in CASES if not case.refused], ids=lambda case: case.title)
def test_a_role_is_let(case: Case, place: Place, client_of: Callable[[Case], Any]) -> None:
    if case.then is None:
        answer = case.call(client_of(case), place)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] < 300
    else:
        with pytest.raises(ClientError, match=case.then):
            case.call(client_of(case), place)


def test_every_role_is_in_the_table_with_both_kinds() -> None:
    for role in {case.role for case in CASES}:
        assert {bool(case.refused) for case in CASES if case.role == role} == {True, False}, role


def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tests.infra.applied.must_deny`"


@pytest.fixture(scope="module")
def lint() -> Callable[[str], list[Any]]:
    """parliament's findings for one policy."""
    with warnings.catch_warnings():
        # parliament reads its data through pkg_resources, and leaves the files open
        warnings.simplefilter("ignore")
        import parliament  # noqa: PLC0415
    return lambda text: list(parliament.analyze_policy_string(text).findings)


def documents(stack: Any) -> Iterator[tuple[str, str]]:
    """Every policy with resources that stands in the account: those of roles, managed ones, and those of resources."""
    iam, s3, kms = stack.client("iam"), stack.client("s3"), stack.client("kms")
    for role in [each for found in iam.get_paginator("list_roles").paginate() for each in found["Roles"]]:
        for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
            found = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)["PolicyDocument"]
            yield f"role {role['RoleName']}", json.dumps(found)
    for policy in iam.list_policies(Scope="Local")["Policies"]:
        version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
        yield f"policy {policy['PolicyName']}", json.dumps(version["PolicyVersion"]["Document"])
    for bucket in s3.list_buckets()["Buckets"]:
        yield f"bucket {bucket['Name']}", s3.get_bucket_policy(Bucket=bucket["Name"])["Policy"]
    for alias in kms.list_aliases()["Aliases"]:
        if "TargetKeyId" in alias and not alias["AliasName"].startswith("alias/aws/"):
            key = kms.get_key_policy(KeyId=alias["TargetKeyId"], PolicyName="default")
            yield f"key {alias['AliasName']}", key["Policy"]


_ALTERNATIVES = "an action on several kinds of resources is given each in a statement of its own, or one of them only"
EXEMPT: tuple[tuple[str, str, str, str], ...] = (
    ("key *", "RESOURCE_STAR", "", "in a key policy '*' is the key that it belongs to"),
    ("key *-logs", "UNKNOWN_CONDITION_FOR_ACTION", "kms:DescribeKey", "CloudWatch Logs' own documented policy"),
    (
        "key *-logs",
        "MISMATCHED_TYPE",
        "given String",
        "an encryption context holds an ARN; Logs' own documented policy",
    ),
    ("policy *-boundary", "RESOURCE_STAR", "ec2:DescribeVpcAttribute", "a boundary allows nothing by itself"),
    ("policy *-boundary", "RESOURCE_MISMATCH", "", "a boundary allows nothing by itself, and names kinds with one *"),
    ("policy *-data", "RESOURCE_MISMATCH", "athena:", _ALTERNATIVES),
    ("policy *-network", "RESOURCE_MISMATCH", "ec2:", _ALTERNATIVES),
    ("policy *-read-holdings", "RESOURCE_MISMATCH", "athena:", _ALTERNATIVES),
    ("policy *-serving", "RESOURCE_MISMATCH", "states:", _ALTERNATIVES),
    ("policy *-storage", "RESOURCE_MISMATCH", "kms:", _ALTERNATIVES),
    ("policy *-serving", "UNKNOWN_CONDITION_FOR_ACTION", "application-autoscaling:", "the condition is IfExists"),
    ("policy *-identity", "MISMATCHED_TYPE_BUT_USABLE", "", "IAM's documentation compares the boundary as a string"),
    (
        "policy *-storage",
        "RESOURCE_POLICY_PRIVILEGE_ESCALATION",
        "arn:aws:s3:::",
        "who declares bucket policies can open a bucket: the diff gate and the policies stop the change that does",
    ),
)
"""Which policy, parliament's issue, part of its detail, and the reason why it is none."""


def exemption(what: str, finding: Any) -> tuple[str, str, str, str] | None:
    return next(
        (
            each
            for each in EXEMPT
            if fnmatch.fnmatch(what, each[0]) and finding.issue == each[1] and each[2] in str(finding.detail)
        ),
        None,
    )


def test_the_policies_are_linted(stack: Any, lint: Callable[[str], list[Any]]) -> None:
    found = [
        f"{what}: {finding.issue} {finding.detail}"
        for what, text in documents(stack)
        for finding in lint(text)
        if exemption(what, finding) is None
    ]
    assert "\n".join(found) == ""


def test_no_exemption_is_left_over(stacks: Any, lint: Callable[[str], list[Any]]) -> None:
    policies = list(documents(stacks[BOOTSTRAPPED]))
    used = {exemption(what, finding) for what, text in policies for finding in lint(text)}
    assert set(EXEMPT) - used == set()


def test_a_policy_that_allows_everything_is_found(lint: Callable[[str], list[Any]]) -> None:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    (finding,) = lint(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert finding.issue == "RESOURCE_STAR"
    assert exemption("role x", finding) is None


def test_the_rehearsal_knows_every_condition_key_that_is_asked_for(stack: Any) -> None:
    asked = {key for _, text in documents(stack) for key in condition_keys(json.loads(text))}
    assert asked
    assert {key for key in asked if not context.derived(key)} == set()
