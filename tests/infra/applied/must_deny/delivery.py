"""What the roles of continuous delivery may not do."""

import json
from collections.abc import Callable
from typing import Any, Final

from tests.infra.applied.must_deny.calls import (
    ALLOW_ALL,
    EVERY_JOB,
    GET,
    MODEL,
    PUT,
    Place,
    artifacts,
    capture,
    get_object,
    lake,
    own_endpoint,
    put_object,
    state_bucket,
)
from tests.infra.applied.must_deny.jobs import JOBS


def new_role(path: str, **members: Callable[[Place], str]) -> Callable[[Any, Place], Any]:
    trust = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "glue.amazonaws.com"}}
            ],
        }
    )
    return lambda iam, place: iam.create_role(
        RoleName=place.names.role("made-up"),
        Path=path,
        AssumeRolePolicyDocument=trust,
        **{name: value(place) for name, value in members.items()},
    )


def bounded(place: Place) -> str:
    return place.names.boundary_arn


def claim(key: Callable[[Place], str]) -> Callable[[Any, Place], Any]:
    """Tag a key as the stack's own."""
    return lambda kms, place: kms.tag_resource(
        KeyId=key(place),
        Tags=[
            {"TagKey": "project", "TagValue": place.names.project},
            {"TagKey": "stack", "TagValue": place.names.stack},
        ],
    )


DEPLOY: Final[dict[str, tuple[Any, ...]]] = {
    "read how a bucket is set up": ("s3", lambda s3, place: s3.get_bucket_policy(Bucket=place.names.bucket("lake"))),
    "make a role under its boundary": ("iam", new_role("/drivetrain/dev/", PermissionsBoundary=bounded)),
    "write its stack's state": ("s3", put_object(state_bucket, ".pulumi/stacks/drivetrain/dev.json")),
    "put an asynchronous request": ("s3", put_object(capture, f"async/{MODEL}/requests/a.json")),
    "read an asynchronous answer": ("s3", get_object(capture, f"async/{MODEL}/answers/b.out")),
    "make a user": ("iam", lambda iam, _: iam.create_user(UserName="mallory"), "iam:CreateUser"),
    "make a role without a boundary": ("iam", new_role("/drivetrain/dev/"), "iam:CreateRole"),
    "make a role outside its path": ("iam", new_role("/", PermissionsBoundary=bounded), "iam:CreateRole"),
    "take a role's boundary away": (
        "iam",
        lambda iam, place: iam.delete_role_permissions_boundary(RoleName=place.names.role(f"{MODEL}-train")),
        "iam:DeleteRolePermissionsBoundary",
    ),
    "widen its own policy": (
        "iam",
        lambda iam, place: iam.put_role_policy(
            RoleName=place.names.deploy_role, PolicyName="more", PolicyDocument=ALLOW_ALL
        ),
        "iam:PutRolePolicy",
    ),
    "trust somebody else with itself": (
        "iam",
        lambda iam, place: iam.update_assume_role_policy(RoleName=place.names.deploy_role, PolicyDocument=ALLOW_ALL),
        "iam:UpdateAssumeRolePolicy",
    ),
    "widen the boundary": (
        "iam",
        lambda iam, place: iam.create_policy_version(
            PolicyArn=place.names.boundary_arn, PolicyDocument=ALLOW_ALL, SetAsDefault=True
        ),
        "iam:CreatePolicyVersion",
    ),
    "attach AdministratorAccess to a role": (
        "iam",
        lambda iam, place: iam.attach_role_policy(
            RoleName=place.names.role(f"{MODEL}-train"), PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
        ),
        "iam:AttachRolePolicy",
    ),
    "hand the pipeline's role to Glue": (
        "glue",
        lambda glue, place: glue.create_job(
            Name=place.names.glue_job(MODEL, "ingest") + "-x",
            Role=place.names.role_arn(f"{MODEL}-pipeline"),
            Command={"Name": "glueetl", "ScriptLocation": "s3://a/b"},
        ),
        "iam:PassRole",
    ),
    "delete the data key": (
        "kms",
        lambda kms, place: kms.schedule_key_deletion(KeyId=place.data_key),
        "kms:ScheduleKeyDeletion",
    ),
    "change who uses the key of the state": (
        "kms",
        lambda kms, place: kms.put_key_policy(KeyId=place.state_key, PolicyName="default", Policy=ALLOW_ALL),
        "kms:PutKeyPolicy",
    ),
    "claim the key of the state as its own": (
        "kms",
        claim(lambda place: place.state_key),
        "kms:TagResource",
    ),
    "claim the signing key as its own": (
        "kms",
        claim(lambda place: place.signing_key),
        "kms:TagResource",
    ),
    "delete the signing key": (
        "kms",
        lambda kms, place: kms.schedule_key_deletion(KeyId=place.signing_key),
        "kms:ScheduleKeyDeletion",
    ),
    "open the state bucket": (
        "s3",
        lambda s3, place: s3.put_bucket_policy(Bucket=place.names.state_bucket, Policy=ALLOW_ALL),
        "s3:PutBucketPolicy",
    ),
    "write another stack's state": ("s3", put_object(state_bucket, ".pulumi/stacks/drivetrain/production.json"), PUT),
    "change another environment's bucket": (
        "s3",
        lambda s3, place: s3.put_bucket_policy(Bucket=place.other.bucket("lake"), Policy=ALLOW_ALL),
        "s3:PutBucketPolicy",
    ),
    "read captured traffic": ("s3", get_object(capture, f"{MODEL}/a.jsonl"), GET),
    "put an asynchronous answer": ("s3", put_object(capture, f"async/{MODEL}/answers/a.out"), PUT),
    "delete rows": (
        "s3",
        lambda s3, place: s3.delete_object(Bucket=place.names.bucket("lake"), Key=place.table("curated")),
        "s3:DeleteObject",
    ),
    "run a training job itself": (
        "sagemaker",
        lambda sagemaker, place: sagemaker.create_training_job(**place.training_job()),
        "sagemaker:CreateTrainingJob",
    ),
}
PREVIEW: Final[dict[str, tuple[Any, ...]]] = {
    "look at an endpoint": (
        "sagemaker",
        lambda sagemaker, place: sagemaker.describe_endpoint(EndpointName=place.names.endpoint(MODEL)),
    ),
    "read its stack's state": ("s3", get_object(state_bucket, ".pulumi/stacks/drivetrain/dev.json")),
    "read another stack's state": ("s3", get_object(state_bucket, ".pulumi/stacks/drivetrain/production.json"), GET),
    "write its stack's state": ("s3", put_object(state_bucket, ".pulumi/stacks/drivetrain/dev.json"), PUT),
    "read rows": ("s3", get_object(lake, lambda place: place.table("curated")), GET),
    "read artefacts": ("s3", get_object(artifacts, f"models/{MODEL}/a"), GET),
    "read a secret": (
        "secretsmanager",
        lambda secrets, place: secrets.get_secret_value(SecretId=f"{place.names.prefix}-github"),
        "secretsmanager:GetSecretValue",
    ),
    "read logs": (
        "logs",
        lambda logs, place: logs.get_log_events(
            logGroupName=f"/aws/sagemaker/Endpoints/{place.names.endpoint(MODEL)}", logStreamName="a"
        ),
        "logs:GetLogEvents",
    ),
    "change an endpoint": ("sagemaker", own_endpoint, "sagemaker:UpdateEndpoint"),
    "start a pipeline": (
        "stepfunctions",
        lambda states, place: states.start_execution(stateMachineArn=place.names.state_machine_arn(MODEL)),
        "states:StartExecution",
    ),
    "sign a release": (
        "kms",
        lambda kms, place: kms.sign(
            KeyId=place.signing_key, Message=b"1", SigningAlgorithm="ECDSA_SHA_256", MessageType="RAW"
        ),
        "kms:Sign",
    ),
    "make a role": ("iam", new_role("/drivetrain/dev/", PermissionsBoundary=bounded), "iam:CreateRole"),
    "become the deploy role": EVERY_JOB["become the deploy role"],
}
PROMOTION: Final[dict[str, tuple[Any, ...]]] = {
    "read what is promoted": ("s3", get_object(artifacts, f"models/{MODEL}/a")),
    "exchange what is promoted": ("s3", put_object(artifacts, f"models/{MODEL}/a"), PUT),
    "read rows": ("s3", get_object(lake, lambda place: place.table("curated")), GET),
    "sign a release": PREVIEW["sign a release"],
    "change an endpoint": ("sagemaker", own_endpoint, "sagemaker:UpdateEndpoint"),
    "put an image": JOBS["train"]["put an image"],
}
