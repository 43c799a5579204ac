"""The table of who may do what: widening IAM, and opening to everyone."""

import json
from typing import Any

import pytest

from delivery.pulumi.preview import Operation
from infra.policies.resources import UNKNOWN
from tests.delivery.gate.cases import (
    BLOCK,
    EGRESS,
    INGRESS,
    KEY,
    POLICY,
    ROLE,
    ROLE_POLICY,
    SECURITY_GROUP,
    Case,
    assert_stopped,
    changed,
)
from tests.delivery.gate.steps import allow, deny, document, provider, step

GLUE = {"Service": "glue.amazonaws.com"}
GONE_OR_THERE: tuple[Operation, ...] = ("same", "update", "delete")
BOUNDARY = "arn:aws:iam::111111111111:policy/boundary"


def role(**more: Any) -> dict[str, Any]:
    return {"name": "train", "permissionsBoundary": BOUNDARY, "assumeRolePolicy": document(trust(GLUE)), **more}


def trust(principal: Any, **condition: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, "Condition": condition}


def policy(*statements: Any, text: bool = True) -> dict[str, Any]:
    body = document(*statements)
    return {"role": "train", "policy": json.dumps(body) if text else body}


def public(principal: Any = "*", **more: Any) -> dict[str, Any]:
    return allow("s3:GetObject", "arn:aws:s3:::lake/*", Principal=principal, **more)


WIDENING = [
    changed(
        "one action more",
        ROLE_POLICY,
        policy(allow("s3:GetObject")),
        policy(allow(["s3:GetObject", "s3:PutObject"])),
        ("widen-iam", "s3:PutObject"),
    ),
    changed(
        "one action less", ROLE_POLICY, policy(allow(["s3:GetObject", "s3:PutObject"])), policy(allow("s3:GetObject"))
    ),
    changed(
        "an action by wildcard",
        ROLE_POLICY,
        policy(allow("s3:GetObject")),
        policy(allow("s3:*")),
        ("widen-iam", "s3:*"),
    ),
    changed("a wildcard becomes an action", ROLE_POLICY, policy(allow("s3:Get*")), policy(allow("s3:GetObject"))),
    changed(
        "one resource more",
        ROLE_POLICY,
        policy(allow("s3:GetObject", "arn:aws:s3:::a/*")),
        policy(allow("s3:GetObject", ["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"])),
        ("widen-iam", "arn:aws:s3:::b/*"),
    ),
    changed(
        "the same in other words",
        ROLE_POLICY,
        policy(allow("s3:GetObject", "arn:aws:s3:::a/*")),
        policy(allow(["s3:getobject"], ["arn:aws:s3:::a/*"], Sid="Read"), text=False),
    ),
    changed(
        "split into two statements",
        ROLE_POLICY,
        policy(allow(["s3:GetObject", "s3:PutObject"])),
        policy(allow("s3:GetObject"), allow("s3:PutObject")),
    ),
    changed(
        "a condition dropped",
        ROLE_POLICY,
        policy(allow("iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}})),
        policy(allow("iam:PassRole")),
        ("widen-iam", "iam:passedtoservice"),
    ),
    changed(
        "a condition with one value more",
        ROLE_POLICY,
        policy(allow("iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}})),
        policy(
            allow(
                "iam:PassRole",
                Condition={"StringEquals": {"iam:PassedToService": ["glue.amazonaws.com", "ec2.amazonaws.com"]}},
            )
        ),
        ("widen-iam", "other conditions"),
    ),
    changed(
        "a condition added",
        ROLE_POLICY,
        policy(allow("iam:PassRole")),
        policy(allow("iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}})),
    ),
    changed(
        "a denial dropped",
        ROLE_POLICY,
        policy(allow("s3:*"), deny("s3:DeleteObject")),
        policy(allow("s3:*")),
        ("widen-iam", "no longer denies s3:DeleteObject"),
    ),
    changed(
        "a denial under a condition only",
        ROLE_POLICY,
        policy(deny("s3:DeleteObject")),
        policy(deny("s3:DeleteObject", Condition={"Bool": {"aws:SecureTransport": "false"}})),
        ("widen-iam", "no longer denies"),
    ),
    changed("a denial added", ROLE_POLICY, policy(allow("s3:*")), policy(allow("s3:*"), deny("s3:DeleteObject"))),
    changed(
        "all but what is named",
        ROLE_POLICY,
        policy(allow("s3:GetObject")),
        policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
        ("widen-iam", "all but what it names"),
    ),
    changed(
        "not known before it is applied",
        ROLE_POLICY,
        policy(allow("s3:GetObject")),
        {"role": "train", "policy": UNKNOWN},
        ("widen-iam", "cannot be compared"),
    ),
    changed(
        "what is no policy",
        ROLE_POLICY,
        policy(allow("s3:GetObject")),
        {"role": "train", "policy": "{"},
        ("widen-iam", "is no policy document"),
    ),
    changed(
        "trust reaches further",
        ROLE,
        role(),
        role(assumeRolePolicy=document(trust({"Service": ["glue.amazonaws.com", "ec2.amazonaws.com"]}))),
        ("widen-iam", "Service:ec2.amazonaws.com"),
    ),
    changed(
        "trust loses its account",
        ROLE,
        role(assumeRolePolicy=document(trust(GLUE, StringEquals={"aws:SourceAccount": "111111111111"}))),
        role(),
        ("widen-iam", "aws:sourceaccount"),
    ),
    changed("a boundary removed", ROLE, role(), role(permissionsBoundary=None), ("widen-iam", "permissionsBoundary")),
    changed(
        "another boundary",
        ROLE,
        role(),
        role(permissionsBoundary=f"{BOUNDARY}-2"),
        ("widen-iam", "permissionsBoundary"),
    ),
    changed("a boundary set", ROLE, role(permissionsBoundary=None), role()),
    changed("a role's description", ROLE, role(), role(description="Trains the model")),
    changed(
        "a key's policy",
        KEY,
        {"policy": json.dumps(document(allow("kms:Decrypt", Principal=GLUE)))},
        {"policy": json.dumps(document(allow("kms:Decrypt", Principal={"Service": "sns.amazonaws.com"})))},
        ("widen-iam", "Service:sns.amazonaws.com"),
    ),
    changed(
        "another account in a registry's policy",
        "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy",
        {"resourcePolicy": document(allow("sagemaker:CreateModel", Principal={"AWS": "arn:aws:iam::1:root"}))},
        {
            "resourcePolicy": document(
                allow("sagemaker:CreateModel", Principal={"AWS": ["arn:aws:iam::1:root", "arn:aws:iam::2:root"]})
            )
        },
        ("widen-iam", "arn:aws:iam::2:root"),
    ),
    changed(
        "one role of an account that was trusted whole",
        "aws:sqs/queuePolicy:QueuePolicy",
        {"policy": document(allow("sqs:SendMessage", Principal={"AWS": "arn:aws:iam::111111111111:root"}))},
        {"policy": document(allow("sqs:SendMessage", Principal={"AWS": "arn:aws:iam::111111111111:role/train"}))},
    ),
    changed(
        "an administrator of the lake",
        "aws:lakeformation/dataLakeSettings:DataLakeSettings",
        {"admins": ["a"]},
        {"admins": ["a", "b"]},
        ("widen-iam", "admins: b"),
    ),
    changed(
        "a grant in the lake",
        "aws:lakeformation/permissions:Permissions",
        {"principal": "p", "permissions": ["DESCRIBE"]},
        {"principal": "p", "permissions": ["DESCRIBE", "SELECT"]},
        ("widen-iam", "SELECT"),
    ),
    Case(
        "a new model: a role within the boundary, its policy and its grant",
        (
            step("create", ROLE, new=role()),
            step("create", ROLE_POLICY, new=policy(allow("s3:GetObject", "arn:aws:s3:::lake/*"))),
            step(
                "create", "aws:lakeformation/permissions:Permissions", new={"principal": "arn:aws:iam::1:role/x/train"}
            ),
        ),
    ),
    Case(
        "a policy for a role that is there",
        (step("create", ROLE_POLICY, new=policy(allow("s3:GetObject"))),),
        (("widen-iam", "train, which is there already"),),
    ),
    Case(
        "a first deployment that was cut short between the role and its policy",
        (
            step("same", ROLE, old=role()),
            step("create", ROLE_POLICY, new=policy(allow("s3:GetObject"))),
            step(
                "create", "aws:lakeformation/permissions:Permissions", new={"principal": "arn:aws:iam::1:role/x/train"}
            ),
        ),
    ),
    Case(
        "a first policy beside another role that has one",
        (
            step("same", ROLE, old=role()),
            step("same", ROLE, "score", old=role(name="score")),
            step("same", ROLE_POLICY, "score", old={**policy(allow("s3:GetObject")), "role": "score"}),
            step("create", ROLE_POLICY, new=policy(allow("s3:GetObject"))),
        ),
    ),
    *(
        Case(
            f"a second policy, where the first is: {op}",
            (
                step("same", ROLE, old=role()),
                step(op, ROLE_POLICY, "first", old=policy(allow("s3:GetObject"))),
                step("create", ROLE_POLICY, new=policy(allow("s3:PutObject"))),
            ),
            (("widen-iam", "train, which is there already"),),
        )
        for op in GONE_OR_THERE
    ),
    Case(
        "a policy for a role that has one of AWS",
        (
            step("same", ROLE, old=role()),
            step(
                "same",
                "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
                old={"role": "train", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
            ),
            step("create", ROLE_POLICY, new=policy(allow("s3:PutObject"))),
        ),
        (("widen-iam", "train, which is there already"),),
    ),
    Case(
        "a policy for a role that holds one in itself",
        (
            step("same", ROLE, old=role(managedPolicyArns=["arn:aws:iam::aws:policy/ReadOnlyAccess"])),
            step("create", ROLE_POLICY, new=policy(allow("s3:PutObject"))),
        ),
        (("widen-iam", "train, which is there already"),),
    ),
    Case(
        "a first policy for a role that another account assumes",
        (
            step(
                "same",
                ROLE,
                old=role(assumeRolePolicy=document(trust({"AWS": "arn:aws:iam::999999999999:root"}))),
            ),
            step("create", ROLE_POLICY, new=policy(allow("s3:GetObject"))),
        ),
        (("widen-iam", "999999999999"),),
    ),
    Case(
        "a first policy for a role without a boundary",
        (
            step("same", ROLE, old=role(permissionsBoundary=None)),
            step("create", ROLE_POLICY, new=policy(allow("s3:GetObject"))),
        ),
        (("widen-iam", "no permissions boundary"),),
    ),
    Case(
        "a policy of AWS for a role that is there",
        (
            step(
                "create",
                "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
                new={"role": "train", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
            ),
        ),
        (("widen-iam", "AdministratorAccess"),),
    ),
    Case(
        "a new role without a boundary",
        (step("create", ROLE, new=role(permissionsBoundary=None)),),
        (("widen-iam", "no permissions boundary"),),
    ),
    Case(
        "a new role that GitHub assumes",
        (
            step(
                "create",
                ROLE,
                new=role(assumeRolePolicy=document(trust({"Federated": "arn:aws:iam::1:oidc-provider/x"}))),
            ),
        ),
        (("widen-iam", "Federated:"),),
    ),
    Case(
        "a new policy for another account",
        (
            provider(),
            step("create", POLICY, new={"policy": document(public({"AWS": "arn:aws:iam::999999999999:root"}))}),
        ),
        (("widen-iam", "999999999999"),),
    ),
    Case(
        "a new policy for this account",
        (
            provider(),
            step("create", POLICY, new={"policy": document(public({"AWS": "arn:aws:iam::111111111111:root"}))}),
        ),
    ),
    Case(
        "another policy of AWS attached",
        (
            step(
                "replace",
                "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
                old={"role": "train", "policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
                new={"role": "train", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
            ),
        ),
        (("widen-iam", "AdministratorAccess"),),
    ),
    Case(
        "a grant for somebody else",
        (
            step(
                "replace",
                "aws:lakeformation/permissions:Permissions",
                old={"principal": "arn:aws:iam::1:role/a", "permissions": ["SELECT"]},
                new={"principal": "arn:aws:iam::1:role/b", "permissions": ["SELECT"]},
            ),
        ),
        (("widen-iam", "arn:aws:iam::1:role/b"),),
    ),
    changed(
        "a managed policy in the role itself",
        ROLE,
        role(),
        role(managedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"]),
        ("widen-iam", "managedPolicyArns"),
    ),
    Case(
        "delete a policy that denies",
        (step("delete", ROLE_POLICY, old=policy(deny("s3:DeleteObject", Sid="Keep"))),),
        (("widen-iam", "the denial Keep"),),
    ),
    Case("delete a policy that allows", (step("delete", ROLE_POLICY, old=policy(allow("s3:GetObject"))),)),
    Case(
        "delete a policy that denies with its role",
        (step("delete", ROLE, old=role()), step("delete", ROLE_POLICY, old=policy(deny("s3:DeleteObject")))),
        (("delete-identity", "is deleted"),),
    ),
    changed(
        "a secret policy",
        ROLE_POLICY,
        {"role": "train", "policy": "[secret]"},
        {"role": "train", "policy": "[secret]"},
        ("widen-iam", "cannot be compared"),
        changed=("policy",),
    ),
    Case(
        "a grant of a key",
        (step("create", "aws:kms/grant:Grant", new={"granteePrincipal": "role", "operations": ["Decrypt"]}),),
        (("widen-iam", "Decrypt"),),
    ),
]

OPENING = [
    *(
        changed(f"{flag} off", BLOCK, {flag: True}, {flag: False}, ("open-to-public", f"{flag}: true → false"))
        for flag in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    ),
    changed(
        "a policy for everyone",
        POLICY,
        {"policy": document()},
        {"policy": document(public())},
        ("widen-iam", "s3:GetObject"),
        ("open-to-public", "everyone"),
    ),
    changed(
        "a policy for everyone of one account",
        POLICY,
        {"policy": document()},
        {"policy": document(public(Condition={"StringEquals": {"aws:SourceAccount": "1"}}))},
        ("widen-iam", "s3:GetObject"),
    ),
    Case(
        "an ACL for everyone",
        (step("create", "aws:s3/bucketAcl:BucketAcl", new={"acl": "public-read"}),),
        (("open-to-public", "public-read"),),
    ),
    Case(
        "let everyone in",
        (step("create", INGRESS, new={"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "0.0.0.0/0"}),),
        (("open-to-public", "443"),),
    ),
    Case(
        "let everyone in over IPv6",
        (step("create", INGRESS, new={"ipProtocol": "-1", "cidrIpv6": "::/0"}),),
        (("open-to-public", "to everyone"),),
    ),
    Case(
        "let a neighbour in",
        (step("create", INGRESS, new={"ipProtocol": "tcp", "fromPort": 443, "cidrIpv4": "10.20.0.0/16"}),),
    ),
    changed(
        "let everyone in through a rule within the group",
        SECURITY_GROUP,
        {"ingress": []},
        {"ingress": [{"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": ["0.0.0.0/0"]}]},
        ("open-to-public", "22"),
    ),
    Case(
        "let everything out",
        (step("create", EGRESS, new={"ipProtocol": "-1", "cidrIpv4": "0.0.0.0/0"}),),
        (("open-to-public", "out to anywhere"),),
    ),
    Case(
        "a way out",
        (step("create", "aws:ec2/internetGateway:InternetGateway", new={"vpcId": "v"}),),
        (("open-to-public", "a way into"),),
    ),
    Case(
        "a route out",
        (step("create", "aws:ec2/route:Route", new={"destinationCidrBlock": "0.0.0.0/0", "natGatewayId": "n"}),),
        (("open-to-public", "0.0.0.0/0"),),
    ),
    changed(
        "public addresses",
        "aws:ec2/subnet:Subnet",
        {"mapPublicIpOnLaunch": False},
        {"mapPublicIpOnLaunch": True},
        ("open-to-public", "mapPublicIpOnLaunch"),
    ),
    Case(
        "a function for everyone",
        (step("create", "aws:lambda/permission:Permission", new={"principal": "*", "function": UNKNOWN}),),
        (("open-to-public", "'*'"),),
    ),
    Case(
        "an address of a function",
        (step("create", "aws:lambda/functionUrl:FunctionUrl", new={"authorizationType": "NONE"}),),
        (("open-to-public", "NONE"),),
    ),
    changed(
        "a cluster's API",
        "aws:eks/cluster:Cluster",
        {"vpcConfig": {"endpointPublicAccess": False}},
        {"vpcConfig": {"endpointPublicAccess": True}},
        ("open-to-public", "endpointPublicAccess"),
    ),
    changed(
        "what is open already",
        INGRESS,
        {"cidrIpv4": "0.0.0.0/0", "ipProtocol": "-1"},
        {"cidrIpv4": "0.0.0.0/0", "ipProtocol": "-1", "description": "the world"},
    ),
]

CASES = [*WIDENING, *OPENING]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_what_a_change_is_stopped_for(case: Case) -> None:
    assert_stopped(case)


def test_the_cases_are_told_apart() -> None:
    assert len({case.what for case in CASES}) == len(CASES) >= 40
