"""How far the rights of deploy role, preview role and boundary reach, asked of the policies themselves."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from infra.bootstrap.boundary import boundary
from infra.bootstrap.deploying import HANDED_TO, POLICIES
from infra.bootstrap.reach import Reach
from infra.bootstrap.reading import READING
from infra.iam import policy_document
from infra.names import Names
from rehearsal.aws.policies import Request, decide

LONGEST_POLICY = 6144
MOST_POLICIES = 10
KEYS = "arn:aws:kms:eu-west-1:222222222222:key/"
DEV_ROLE = "arn:aws:iam::222222222222:role/drivetrain/dev/drivetrain-dev-auto-mpg-train"
BOUNDARY = "arn:aws:iam::222222222222:policy/drivetrain/drivetrain-dev-boundary"
OWN = {"aws:resourcetag/project": "drivetrain", "aws:resourcetag/stack": "dev"}
OTHERS = {**OWN, "aws:resourcetag/stack": "bootstrap"}
PULL_REQUEST = {**OWN, "aws:resourcetag/stack": "pr-12"}
TO_OWN = {"aws:requesttag/project": "drivetrain", "aws:requesttag/stack": "dev"}
VPC = "arn:aws:ec2:eu-west-1:222222222222:vpc/vpc-1"


def reach(stack: str = "dev", project: str = "drivetrain", region: str = "eu-west-1", *, protect: bool = True) -> Reach:
    names = Names(project=project, stack=stack, account_id="222222222222", region=region)
    return Reach(names=names, protect=protect, state_key_arn=f"{KEYS}state", signing_key_arn=f"{KEYS}signing")


def documents(of: Reach, *tables: Any) -> dict[str, str]:
    return {kind: policy_document(*rights(of)) for table in tables for kind, rights in table.items()}


def allowed(policies: dict[str, str], action: str, resource: str, **context: str) -> bool:
    request = Request(
        action=action,
        resource=resource,
        account_id="222222222222",
        principals=("arn:aws:sts::222222222222:assumed-role/x/y",),
        context=context,
    )
    decisions = [decide(json.loads(each), request) for each in policies.values()]
    return "allow" in decisions and "deny" not in decisions


DEPLOY = documents(reach(), POLICIES, READING)
PREVIEW = documents(reach(), READING)


@pytest.mark.parametrize(
    "of",
    [
        reach(),
        reach("abcdefghijklm", "abcdefghij-klmn", "ap-southeast-1"),
        reach("pr", "abcdefghij-klmn", "ap-southeast-1", protect=False),
    ],
    ids=["dev", "longest", "pull requests"],
)
def test_every_policy_fits_and_so_does_their_number(of: Reach) -> None:
    found = documents(of, POLICIES, READING, {"boundary": boundary})
    assert {kind: len(text) for kind, text in found.items() if len(text) > LONGEST_POLICY} == {}
    assert len(found) - 1 <= MOST_POLICIES


STATE = "arn:aws:s3:::drivetrain-222222222222-eu-west-1-pulumi-state"
ENDPOINTS = "arn:aws:sagemaker:eu-west-1:222222222222:endpoint/"
ASYNC = "arn:aws:s3:::drivetrain-dev-222222222222-capture/async/auto-mpg/"
MUST = [
    ("iam:CreateRole", DEV_ROLE, {"iam:permissionsboundary": BOUNDARY}),
    ("iam:PutRolePolicy", DEV_ROLE, {"iam:permissionsboundary": BOUNDARY}),
    ("iam:PassRole", f"{DEV_ROLE[:-5]}endpoint", {"iam:passedtoservice": "sagemaker.amazonaws.com"}),
    ("s3:CreateBucket", "arn:aws:s3:::drivetrain-dev-222222222222-lake", {}),
    ("s3:PutObject", f"{STATE}/.pulumi/stacks/drivetrain/dev.json", {}),
    ("s3:PutObject", f"{STATE}/.pulumi/stacks/drivetrain/dev-auto-mpg.json", {}),
    ("s3:DeleteObject", f"{STATE}/.pulumi/locks/organization/drivetrain/dev/a.json", {}),
    ("kms:Sign", f"{KEYS}signing", {}),
    ("kms:PutKeyPolicy", f"{KEYS}data", OWN),
    ("kms:TagResource", f"{KEYS}new", TO_OWN),
    ("kms:TagResource", f"{KEYS}data", {**TO_OWN, **OWN}),
    ("ec2:CreateTags", VPC, TO_OWN),
    ("glue:PutDataCatalogEncryptionSettings", "arn:aws:glue:eu-west-1:222222222222:catalog", {}),
    ("lakeformation:PutDataLakeSettings", "*", {}),
    ("sagemaker:CreateEndpoint", f"{ENDPOINTS}drivetrain-dev-auto-mpg", {}),
    # asking an asynchronous endpoint, with the key of the bucket that its requests go through
    ("sagemaker:InvokeEndpointAsync", f"{ENDPOINTS}drivetrain-dev-auto-mpg", {}),
    ("s3:PutObject", f"{ASYNC}requests/1.json", {}),
    ("s3:GetObject", f"{ASYNC}requests/1.json", {}),
    ("s3:GetObject", f"{ASYNC}answers/1.out", {}),
    ("s3:GetObject", f"{ASYNC}failures/1-error.out", {}),
    ("s3:ListBucket", "arn:aws:s3:::drivetrain-dev-222222222222-capture", {}),
    *(
        (action, f"{KEYS}data", {**OWN, "kms:viaservice": "s3.eu-west-1.amazonaws.com"})
        for action in ("kms:Decrypt", "kms:GenerateDataKey")
    ),
]
MUST_NOT = [
    # roles elsewhere, without the boundary, or the bootstrap's own
    ("iam:CreateRole", DEV_ROLE, {}),
    ("iam:CreateRole", DEV_ROLE, {"iam:permissionsboundary": BOUNDARY.replace("dev", "staging")}),
    ("iam:CreateRole", DEV_ROLE.replace("/dev/", "/staging/"), {"iam:permissionsboundary": BOUNDARY}),
    ("iam:PutRolePolicy", DEV_ROLE, {}),
    ("iam:DeleteRolePermissionsBoundary", DEV_ROLE, {}),
    ("iam:AttachRolePolicy", DEV_ROLE, {"iam:permissionsboundary": BOUNDARY}),
    *(
        (
            action,
            "arn:aws:iam::222222222222:role/drivetrain/drivetrain-dev-deploy",
            {"iam:permissionsboundary": BOUNDARY},
        )
        for action in ("iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:DeleteRole", "iam:CreateRole")
    ),
    *((f"iam:{each}", BOUNDARY, {}) for each in ("CreatePolicyVersion", "DeletePolicy", "SetDefaultPolicyVersion")),
    ("iam:CreateUser", "arn:aws:iam::222222222222:user/x", {}),
    ("iam:CreateOpenIDConnectProvider", "arn:aws:iam::222222222222:oidc-provider/x", {}),
    # PassRole to another service, or of another role
    ("iam:PassRole", f"{DEV_ROLE[:-5]}endpoint", {"iam:passedtoservice": "lambda.amazonaws.com"}),
    ("iam:PassRole", DEV_ROLE, {"iam:passedtoservice": "sagemaker.amazonaws.com"}),
    ("iam:PassRole", "arn:aws:iam::222222222222:role/admin", {"iam:passedtoservice": "sagemaker.amazonaws.com"}),
    # keys, state and data
    ("kms:ScheduleKeyDeletion", f"{KEYS}data", OWN),
    ("kms:DisableKey", f"{KEYS}data", OWN),
    ("kms:PutKeyPolicy", f"{KEYS}state", OTHERS),
    # what is another's stays so: keys and networks, and the bootstrap's keys whatever their tags say
    ("kms:TagResource", f"{KEYS}x", {**TO_OWN, **OTHERS}),
    ("kms:TagResource", f"{KEYS}x", {**TO_OWN, **PULL_REQUEST}),
    ("ec2:CreateTags", VPC, {**TO_OWN, **PULL_REQUEST}),
    *(
        (f"kms:{action}", f"{KEYS}{key}", {**TO_OWN, **OWN})
        for action in ("DisableKey", "PutKeyPolicy", "ScheduleKeyDeletion", "TagResource", "UntagResource")
        for key in ("state", "signing")
    ),
    ("kms:CreateAlias", "arn:aws:kms:eu-west-1:222222222222:alias/drivetrain-dev-signing", {}),
    ("kms:CreateKey", "*", {"aws:requesttag/project": "drivetrain", "aws:requesttag/stack": "bootstrap"}),
    ("s3:DeleteBucket", STATE, {}),
    ("s3:PutBucketPolicy", STATE, {}),
    ("s3:GetObject", f"{STATE}/.pulumi/stacks/drivetrain-bootstrap/222222222222-eu-west-1.json", {}),
    ("s3:PutObject", f"{STATE}/.pulumi/stacks/drivetrain/staging.json", {}),
    ("s3:GetObject", "arn:aws:s3:::drivetrain-staging-333333333333-lake/x", {}),
    ("s3:GetObject", "arn:aws:s3:::drivetrain-dev-222222222222-lake/warehouse/x", {}),
    ("s3:DeleteObjectVersion", "arn:aws:s3:::drivetrain-dev-222222222222-lake/x", {}),
    ("sagemaker:InvokeEndpointAsync", f"{ENDPOINTS}drivetrain-staging-auto-mpg", {}),
    ("s3:GetObject", "arn:aws:s3:::drivetrain-dev-222222222222-capture/auto-mpg/AllTraffic/1.jsonl", {}),
    ("s3:PutObject", f"{ASYNC}answers/1.out", {}),
    ("s3:DeleteObject", f"{ASYNC}requests/1.json", {}),
    ("s3:GetObject", ASYNC.replace("dev-2", "staging-2") + "answers/1.out", {}),
    ("ec2:DeleteVpc", "arn:aws:ec2:eu-west-1:222222222222:vpc/vpc-1", OTHERS),
    ("ec2:RunInstances", "arn:aws:ec2:eu-west-1:222222222222:instance/*", OWN),
    ("sagemaker:CreateTrainingJob", "arn:aws:sagemaker:eu-west-1:222222222222:training-job/drivetrain-dev-x", {}),
]


@pytest.mark.parametrize(("action", "resource", "context"), MUST)
def test_deploying_may(action: str, resource: str, context: dict[str, str]) -> None:
    assert allowed(DEPLOY, action, resource, **context)


@pytest.mark.parametrize(("action", "resource", "context"), MUST_NOT)
def test_deploying_may_not(action: str, resource: str, context: dict[str, str]) -> None:
    assert not allowed(DEPLOY, action, resource, **context)


def test_previewing_reads_the_state_and_nothing_that_is_held() -> None:
    bucket = "arn:aws:s3:::drivetrain-dev-222222222222"
    assert allowed(PREVIEW, "s3:GetObject", f"{STATE}/.pulumi/stacks/drivetrain/dev.json")
    assert allowed(PREVIEW, "kms:Decrypt", f"{KEYS}state")
    assert allowed(PREVIEW, "ec2:DescribeVpcs", "*")
    for purpose in ("lake", "landing", "capture", "query-results", "logs"):
        assert not allowed(PREVIEW, "s3:GetObject", f"{bucket}-{purpose}/x")
    assert not allowed(PREVIEW, "s3:GetObject", f"{bucket}-artifacts/models/auto-mpg/x")
    assert not allowed(PREVIEW, "s3:PutObject", f"{STATE}/.pulumi/stacks/drivetrain/dev.json")
    assert not allowed(
        PREVIEW, "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:222222222222:secret:x"
    )
    assert not allowed(PREVIEW, "kms:Sign", f"{KEYS}signing")


def test_the_preview_role_has_no_action_that_writes() -> None:
    reading = ("Get", "List", "Describe", "BatchGet", "View", "Decrypt")
    actions = [
        action
        for document in PREVIEW.values()
        for each in json.loads(document)["Statement"]
        for action in each["Action"]
    ]
    assert len(actions) > 80
    assert [action for action in actions if not action.split(":")[1].startswith(reading)] == []


def test_pull_requests_reach_their_stacks_alone_and_may_remove_them() -> None:
    policies = documents(reach("pr", protect=False), POLICIES, READING)
    bounded = {"iam:permissionsboundary": "arn:aws:iam::222222222222:policy/drivetrain/drivetrain-pr-boundary"}
    role = "arn:aws:iam::222222222222:role/drivetrain/{}/drivetrain-{}-flow-log"
    assert allowed(policies, "iam:CreateRole", role.format("pr-12", "pr-12"), **bounded)
    assert not allowed(policies, "iam:CreateRole", role.format("dev", "dev"), **bounded)
    assert allowed(policies, "kms:ScheduleKeyDeletion", f"{KEYS}x", **{**OWN, "aws:resourcetag/stack": "pr-12"})
    assert not allowed(policies, "kms:ScheduleKeyDeletion", f"{KEYS}x", **OWN)
    assert allowed(policies, "s3:PutObject", f"{STATE}/.pulumi/stacks/drivetrain/pr-12.json")
    assert not allowed(policies, "s3:PutObject", f"{STATE}/.pulumi/stacks/drivetrain/dev.json")


@pytest.mark.parametrize("of", [OWN, OTHERS], ids=["dev's", "the bootstrap's"])
def test_pull_requests_take_over_nothing_of_another_stack(of: dict[str, str]) -> None:
    policies = documents(reach("pr", protect=False), POLICIES, READING)
    to_own = {**TO_OWN, "aws:requesttag/stack": "pr-12"}
    assert allowed(policies, "kms:TagResource", f"{KEYS}x", **to_own)
    assert allowed(policies, "kms:TagResource", f"{KEYS}x", **to_own, **PULL_REQUEST)
    assert not allowed(policies, "kms:TagResource", f"{KEYS}x", **to_own, **of)
    assert allowed(policies, "ec2:CreateTags", VPC, **to_own)
    assert not allowed(policies, "ec2:CreateTags", VPC, **to_own, **of)
    for action in ("PutKeyPolicy", "ScheduleKeyDeletion", "UntagResource"):
        assert allowed(policies, f"kms:{action}", f"{KEYS}x", **PULL_REQUEST)
        assert not allowed(policies, f"kms:{action}", f"{KEYS}x", **of)
        assert not allowed(policies, f"kms:{action}", f"{KEYS}signing", **PULL_REQUEST)


def test_pull_requests_leave_what_the_account_has_one_of() -> None:
    policies = documents(reach("pr", protect=False), POLICIES, READING)
    catalog = "arn:aws:glue:eu-west-1:222222222222:catalog"
    assert not allowed(policies, "glue:PutDataCatalogEncryptionSettings", catalog)
    assert not allowed(policies, "lakeformation:PutDataLakeSettings", "*")
    assert allowed(policies, "lakeformation:GrantPermissions", "*")


def test_the_boundary_covers_every_action_that_the_program_grants(declared: Callable[[str], Any]) -> None:
    covered = {action for each in boundary(reach()) for action in each.actions}
    granted = {
        action
        for resource in declared("production").of("aws:iam/rolePolicy:RolePolicy")
        for each in resource.policy()["Statement"]
        for action in each["Action"]
    }
    assert len(granted) > 40
    assert granted - covered == set(), "a job has a right that its boundary takes away: infra/bootstrap/boundary.py"


def test_the_boundary_makes_no_roles_and_reads_no_state() -> None:
    limits = {"boundary": policy_document(*boundary(reach()))}
    assert not allowed(limits, "iam:CreateRole", DEV_ROLE, **{"iam:permissionsboundary": BOUNDARY})
    assert not allowed(limits, "s3:GetObject", f"{STATE}/.pulumi/stacks/drivetrain/dev.json")
    assert not allowed(limits, "s3:GetObject", "arn:aws:s3:::drivetrain-staging-333333333333-lake/x")
    assert not allowed(limits, "kms:Decrypt", f"{KEYS}state", **OTHERS)
    assert allowed(limits, "s3:GetObject", "arn:aws:s3:::drivetrain-dev-222222222222-lake/x")


def test_each_role_that_the_program_hands_over_may_be_handed(declared: Callable[[str], Any]) -> None:
    for role in declared("production").of("aws:iam/role:Role"):
        (trust,) = role.policy("assumeRolePolicy")["Statement"]
        service = trust["Principal"]["Service"]
        job = next((job for job in HANDED_TO if role.inputs["name"].endswith(f"-{job}")), None)
        if job is None:
            assert role.inputs["name"].endswith(("-train", "-evaluate")), role.name
        else:
            assert HANDED_TO[job] == service, role.name
