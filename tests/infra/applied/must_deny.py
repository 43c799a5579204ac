"""What each role must be refused, and what it must be let: the table behind docs/least-privilege.md.

`python -m tests.infra.applied.must_deny` writes that page anew. Each call is really made, with a session of the role,
on a rehearsal with the stack dev and its bootstrap applied.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infra.names import Names

MODEL: Final = "auto-mpg"
TABLE: Final = "auto_mpg"
PAGE: Final = Path(__file__).resolve().parents[3] / "docs" / "least-privilege.md"


@dataclass(frozen=True, kw_only=True)
class Place:
    """What the calls are about: the stack's names and those of another environment, and ids that only AWS knows."""

    names: Names
    other: Names
    data_key: str
    state_key: str
    signing_key: str
    subnets: list[str]
    security_group: str

    def table(self, layer: Any) -> str:
        """A file of the model's table in one layer of the lake."""
        return f"warehouse/{self.names.database(layer)}/{TABLE}/data/a.parquet"

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.names.region}:{self.names.account_id}:{resource}"

    def training_job(self, **changes: Any) -> dict[str, Any]:
        """A training job as the state machine asks for one."""
        return {
            "TrainingJobName": f"{self.names.job_prefix(MODEL)}-{'0' * 8}",
            "RoleArn": self.names.role_arn(f"{MODEL}-train"),
            "AlgorithmSpecification": {
                "TrainingImage": f"{self.names.registry}/{self.names.repository('training')}@sha256:{'0' * 64}",
                "TrainingInputMode": "File",
            },
            "OutputDataConfig": {"S3OutputPath": "s3://nowhere/models", "KmsKeyId": self.data_key},
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
                "VolumeKmsKeyId": self.data_key,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            "EnableNetworkIsolation": True,
            "VpcConfig": {"Subnets": self.subnets, "SecurityGroupIds": [self.security_group]},
            **changes,
        }


@dataclass(frozen=True, kw_only=True)
class Case:
    """One call of one role. `refused` is the action that the answer names; None for what the role must be let.

    `then` is the error that an allowed call ends in, where a whole success would start something.
    """

    role: str
    what: str
    service: str
    call: Callable[[Any, Place], Any]
    refused: str | None = None
    then: str | None = None

    @property
    def title(self) -> str:
        return f"{self.role} {'may not' if self.refused else 'may'} {self.what}"


def _get(bucket: Callable[[Place], str], key: Callable[[Place], str] | str) -> Callable[[Any, Place], Any]:
    return lambda s3, place: s3.get_object(Bucket=bucket(place), Key=key if isinstance(key, str) else key(place))


def _put(bucket: Callable[[Place], str], key: Callable[[Place], str] | str) -> Callable[[Any, Place], Any]:
    return lambda s3, place: s3.put_object(
        Bucket=bucket(place), Key=key if isinstance(key, str) else key(place), Body=b"1"
    )


def _bucket(purpose: Any) -> Callable[[Place], str]:
    return lambda place: place.names.bucket(purpose)


def _state(place: Place) -> str:
    return place.names.state_bucket


def _cases(role: str, rows: Mapping[str, tuple[Any, ...]]) -> Iterator[Case]:
    for what, (service, call, *rest) in rows.items():
        refused, then = (*rest, None, None)[:2]
        yield Case(role=role, what=what, service=service, call=call, refused=refused, then=then)


_GET, _PUT, _LIST = "s3:GetObject", "s3:PutObject", "s3:ListBucket"
_landing, _lake, _artifacts, _capture = (_bucket(each) for each in ("landing", "lake", "artifacts", "capture"))
_own_endpoint: Callable[[Any, Place], Any] = lambda sagemaker, place: sagemaker.update_endpoint(  # noqa: E731
    EndpointName=place.names.endpoint(MODEL), EndpointConfigName="another"
)
_EVERY_JOB: Final[dict[str, tuple[Any, ...]]] = {
    "read another environment's lake": (
        "s3",
        lambda s3, place: s3.list_objects_v2(Bucket=place.other.bucket("lake"), Prefix="exports/"),
        _LIST,
    ),
    "read Pulumi's state": ("s3", _get(_state, ".pulumi/stacks/drivetrain/dev.json"), _GET),
    "delete the data key": (
        "kms",
        lambda kms, place: kms.schedule_key_deletion(KeyId=place.data_key),
        "kms:ScheduleKeyDeletion",
    ),
    "make a user": ("iam", lambda iam, _: iam.create_user(UserName="mallory"), "iam:CreateUser"),
    "become the deploy role": (
        "sts",
        lambda sts, place: sts.assume_role(RoleArn=place.names.deploy_role_arn, RoleSessionName="mallory"),
        "sts:AssumeRole",
    ),
    "change an endpoint": ("sagemaker", _own_endpoint, "sagemaker:UpdateEndpoint"),
}
"""No job may do any of these."""


def _own_policy(role: str) -> dict[str, tuple[Any, ...]]:
    return {
        "widen its own policy": (
            "iam",
            lambda iam, place: iam.put_role_policy(
                RoleName=place.names.role(role), PolicyName="more", PolicyDocument=_ALLOW_ALL
            ),
            "iam:PutRolePolicy",
        )
    }


_ALLOW_ALL: Final = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
_JOBS: Final[dict[str, dict[str, tuple[Any, ...]]]] = {
    "ingest": {
        "read what landed for its model": ("s3", _get(_landing, f"{MODEL}/a.csv")),
        "write its table": ("s3", _put(_lake, lambda place: place.table("curated"))),
        "read what landed for another model": ("s3", _get(_landing, "other/a.csv"), _GET),
        "write another model's table": (
            "s3",
            _put(_lake, lambda place: f"warehouse/{place.names.database('curated')}/other/a"),
            _PUT,
        ),
        "put an artefact": ("s3", _put(_artifacts, f"models/{MODEL}/a"), _PUT),
        "drop its table from the catalog": (
            "glue",
            lambda glue, place: glue.delete_table(DatabaseName=place.names.database("curated"), Name=TABLE),
            "glue:DeleteTable",
        ),
        "use the data key outside S3 and Glue": (
            "kms",
            lambda kms, place: kms.encrypt(KeyId=place.data_key, Plaintext=b"1"),
            "kms:Encrypt",
        ),
    },
    "validate": {
        "read its table": ("s3", _get(_lake, lambda place: place.table("curated"))),
        "write an export": ("s3", _put(_lake, f"exports/{MODEL}/a.parquet")),
        "read the quarantine": ("s3", _get(_lake, lambda place: place.table("quarantine")), _GET),
        "write its table": ("s3", _put(_lake, lambda place: place.table("curated")), _PUT),
        "change the catalog": (
            "glue",
            lambda glue, place: glue.update_table(
                DatabaseName=place.names.database("curated"), TableInput={"Name": TABLE}
            ),
            "glue:UpdateTable",
        ),
    },
    "train": {
        "read the export": ("s3", _get(_lake, f"exports/{MODEL}/a.parquet")),
        "write its artefact": ("s3", _put(_artifacts, f"models/{MODEL}/b")),
        "write curated rows": ("s3", _put(_lake, lambda place: place.table("curated")), _PUT),
        "read the quarantine": ("s3", _get(_lake, lambda place: place.table("quarantine")), _GET),
        "read what landed": ("s3", _get(_landing, f"{MODEL}/a.csv"), _GET),
        "write another model's artefact": ("s3", _put(_artifacts, "models/other/a"), _PUT),
        "propose its own release": ("s3", _put(_artifacts, f"proposals/{MODEL}/a.json"), _PUT),
        "put an image": (
            "ecr",
            lambda ecr, place: ecr.put_image(
                repositoryName=place.names.repository("serving"), imageManifest="{}", imageTag="latest"
            ),
            "ecr:PutImage",
        ),
        "start another job": (
            "sagemaker",
            lambda sagemaker, place: sagemaker.create_training_job(**place.training_job()),
            "sagemaker:CreateTrainingJob",
        ),
    },
    "evaluate": {
        "read an artefact": ("s3", _get(_artifacts, f"models/{MODEL}/a")),
        "write an evaluation": ("s3", _put(_artifacts, f"runs/{MODEL}/a.json")),
        "exchange the artefact that it judges": ("s3", _put(_artifacts, f"models/{MODEL}/a"), _PUT),
        "register a model": (
            "sagemaker",
            lambda sagemaker, place: sagemaker.create_model_package(
                ModelPackageGroupName=place.names.package_group(MODEL)
            ),
            "sagemaker:CreateModelPackage",
        ),
    },
    "endpoint": {
        "read its artefact": ("s3", _get(_artifacts, f"models/{MODEL}/a")),
        "write captured traffic": ("s3", _put(_capture, f"{MODEL}/a.jsonl")),
        "read the quarantine": ("s3", _get(_lake, lambda place: place.table("quarantine")), _GET),
        "read the table": ("s3", _get(_lake, lambda place: place.table("curated")), _GET),
        "read what landed": ("s3", _get(_landing, f"{MODEL}/a.csv"), _GET),
        "read captured traffic": ("s3", _get(_capture, f"{MODEL}/a.jsonl"), _GET),
        "exchange its artefact": ("s3", _put(_artifacts, f"models/{MODEL}/a"), _PUT),
        "list another model's artefacts": (
            "s3",
            lambda s3, place: s3.list_objects_v2(Bucket=place.names.bucket("artifacts"), Prefix="models/other/"),
            _LIST,
        ),
    },
}


def _train(**changes: Callable[[Place], Any]) -> Callable[[Any, Place], Any]:
    return lambda sagemaker, place: sagemaker.create_training_job(
        **{
            name: value
            for name, value in place.training_job(**{each: change(place) for each, change in changes.items()}).items()
            if value is not None
        }
    )


def _unencrypted(place: Place) -> dict[str, Any]:
    resources = dict(place.training_job()["ResourceConfig"])
    del resources["VolumeKmsKeyId"]
    return resources


_CREATE: Final = "sagemaker:CreateTrainingJob"
_PIPELINE: Final[dict[str, tuple[Any, ...]]] = {
    "train in the stack's network": ("sagemaker", _train()),
    "announce an event as the stack": (
        "events",
        lambda events, place: events.put_events(
            Entries=[{"Source": place.names.event_source, "DetailType": "Test", "Detail": "{}"}]
        ),
    ),
    "train outside the VPC": ("sagemaker", _train(VpcConfig=lambda _: None), _CREATE),
    "train in another network": (
        "sagemaker",
        _train(VpcConfig=lambda place: {"Subnets": ["subnet-1"], "SecurityGroupIds": [place.security_group]}),
        _CREATE,
    ),
    "train with the network open": ("sagemaker", _train(EnableNetworkIsolation=lambda _: False), _CREATE),
    "train on volumes without the key": ("sagemaker", _train(ResourceConfig=_unencrypted), _CREATE),
    "leave an artefact without the key": (
        "sagemaker",
        _train(OutputDataConfig=lambda _: {"S3OutputPath": "s3://nowhere/models"}),
        _CREATE,
    ),
    "train under another environment's name": (
        "sagemaker",
        _train(TrainingJobName=lambda place: f"{place.other.prefix}-x"),
        _CREATE,
    ),
    "hand the endpoint's role to a job": (
        "sagemaker",
        _train(RoleArn=lambda place: place.names.role_arn(f"{MODEL}-endpoint")),
        "iam:PassRole",
    ),
    "approve a package": (
        "sagemaker",
        lambda sagemaker, place: sagemaker.update_model_package(
            ModelPackageArn=place.arn("sagemaker", f"model-package/{place.names.package_group(MODEL)}/1"),
            ModelApprovalStatus="Approved",
        ),
        "sagemaker:UpdateModelPackage",
    ),
    "write an artefact": ("s3", _put(_artifacts, f"models/{MODEL}/a"), _PUT),
    "read the lake": ("s3", _get(_lake, f"exports/{MODEL}/a.parquet"), _GET),
    "speak for another environment": (
        "events",
        lambda events, place: events.put_events(
            Entries=[{"Source": place.other.event_source, "DetailType": "Test", "Detail": "{}"}]
        ),
        "events:PutEvents",
    ),
    "change itself": (
        "stepfunctions",
        lambda states, place: states.update_state_machine(
            stateMachineArn=place.names.state_machine_arn(MODEL), definition="{}"
        ),
        "states:UpdateStateMachine",
    ),
    "run another Glue job": (
        "glue",
        lambda glue, _: glue.start_job_run(JobName="another"),
        "glue:StartJobRun",
    ),
}
_EVENTS: Final[dict[str, tuple[Any, ...]]] = {
    "start its pipeline": (
        "stepfunctions",
        lambda states, place: states.start_execution(
            stateMachineArn=place.names.state_machine_arn(MODEL), input="not JSON"
        ),
        None,
        "Expecting value: line 1",
    ),
    "start another pipeline": (
        "stepfunctions",
        lambda states, place: states.start_execution(stateMachineArn=place.names.state_machine_arn("other")),
        "states:StartExecution",
    ),
    "stop an execution": (
        "stepfunctions",
        lambda states, place: states.stop_execution(
            executionArn=place.arn("states", f"execution:{place.names.state_machine(MODEL)}:x")
        ),
        "states:StopExecution",
    ),
    "read what landed": ("s3", _get(_landing, f"{MODEL}/a.csv"), _GET),
}


def _new_role(path: str, **members: Callable[[Place], str]) -> Callable[[Any, Place], Any]:
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


def _bounded(place: Place) -> str:
    return place.names.boundary_arn


def _claim(key: Callable[[Place], str]) -> Callable[[Any, Place], Any]:
    """Tag a key as the stack's own."""
    return lambda kms, place: kms.tag_resource(
        KeyId=key(place),
        Tags=[
            {"TagKey": "project", "TagValue": place.names.project},
            {"TagKey": "stack", "TagValue": place.names.stack},
        ],
    )


_DEPLOY: Final[dict[str, tuple[Any, ...]]] = {
    "read how a bucket is set up": ("s3", lambda s3, place: s3.get_bucket_policy(Bucket=place.names.bucket("lake"))),
    "make a role under its boundary": ("iam", _new_role("/drivetrain/dev/", PermissionsBoundary=_bounded)),
    "write its stack's state": ("s3", _put(_state, ".pulumi/stacks/drivetrain/dev.json")),
    "put an asynchronous request": ("s3", _put(_capture, f"async/{MODEL}/requests/a.json")),
    "read an asynchronous answer": ("s3", _get(_capture, f"async/{MODEL}/answers/b.out")),
    "make a user": ("iam", lambda iam, _: iam.create_user(UserName="mallory"), "iam:CreateUser"),
    "make a role without a boundary": ("iam", _new_role("/drivetrain/dev/"), "iam:CreateRole"),
    "make a role outside its path": ("iam", _new_role("/", PermissionsBoundary=_bounded), "iam:CreateRole"),
    "take a role's boundary away": (
        "iam",
        lambda iam, place: iam.delete_role_permissions_boundary(RoleName=place.names.role(f"{MODEL}-train")),
        "iam:DeleteRolePermissionsBoundary",
    ),
    "widen its own policy": (
        "iam",
        lambda iam, place: iam.put_role_policy(
            RoleName=place.names.deploy_role, PolicyName="more", PolicyDocument=_ALLOW_ALL
        ),
        "iam:PutRolePolicy",
    ),
    "trust somebody else with itself": (
        "iam",
        lambda iam, place: iam.update_assume_role_policy(RoleName=place.names.deploy_role, PolicyDocument=_ALLOW_ALL),
        "iam:UpdateAssumeRolePolicy",
    ),
    "widen the boundary": (
        "iam",
        lambda iam, place: iam.create_policy_version(
            PolicyArn=place.names.boundary_arn, PolicyDocument=_ALLOW_ALL, SetAsDefault=True
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
        lambda kms, place: kms.put_key_policy(KeyId=place.state_key, PolicyName="default", Policy=_ALLOW_ALL),
        "kms:PutKeyPolicy",
    ),
    "claim the key of the state as its own": (
        "kms",
        _claim(lambda place: place.state_key),
        "kms:TagResource",
    ),
    "claim the signing key as its own": (
        "kms",
        _claim(lambda place: place.signing_key),
        "kms:TagResource",
    ),
    "delete the signing key": (
        "kms",
        lambda kms, place: kms.schedule_key_deletion(KeyId=place.signing_key),
        "kms:ScheduleKeyDeletion",
    ),
    "open the state bucket": (
        "s3",
        lambda s3, place: s3.put_bucket_policy(Bucket=place.names.state_bucket, Policy=_ALLOW_ALL),
        "s3:PutBucketPolicy",
    ),
    "write another stack's state": ("s3", _put(_state, ".pulumi/stacks/drivetrain/production.json"), _PUT),
    "change another environment's bucket": (
        "s3",
        lambda s3, place: s3.put_bucket_policy(Bucket=place.other.bucket("lake"), Policy=_ALLOW_ALL),
        "s3:PutBucketPolicy",
    ),
    "read captured traffic": ("s3", _get(_capture, f"{MODEL}/a.jsonl"), _GET),
    "put an asynchronous answer": ("s3", _put(_capture, f"async/{MODEL}/answers/a.out"), _PUT),
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
_PREVIEW: Final[dict[str, tuple[Any, ...]]] = {
    "look at an endpoint": (
        "sagemaker",
        lambda sagemaker, place: sagemaker.describe_endpoint(EndpointName=place.names.endpoint(MODEL)),
    ),
    "read its stack's state": ("s3", _get(_state, ".pulumi/stacks/drivetrain/dev.json")),
    "read another stack's state": ("s3", _get(_state, ".pulumi/stacks/drivetrain/production.json"), _GET),
    "write its stack's state": ("s3", _put(_state, ".pulumi/stacks/drivetrain/dev.json"), _PUT),
    "read rows": ("s3", _get(_lake, lambda place: place.table("curated")), _GET),
    "read artefacts": ("s3", _get(_artifacts, f"models/{MODEL}/a"), _GET),
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
    "change an endpoint": ("sagemaker", _own_endpoint, "sagemaker:UpdateEndpoint"),
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
    "make a role": ("iam", _new_role("/drivetrain/dev/", PermissionsBoundary=_bounded), "iam:CreateRole"),
    "become the deploy role": _EVERY_JOB["become the deploy role"],
}
_PROMOTION: Final[dict[str, tuple[Any, ...]]] = {
    "read what is promoted": ("s3", _get(_artifacts, f"models/{MODEL}/a")),
    "exchange what is promoted": ("s3", _put(_artifacts, f"models/{MODEL}/a"), _PUT),
    "read rows": ("s3", _get(_lake, lambda place: place.table("curated")), _GET),
    "sign a release": _PREVIEW["sign a release"],
    "change an endpoint": ("sagemaker", _own_endpoint, "sagemaker:UpdateEndpoint"),
    "put an image": _JOBS["train"]["put an image"],
}

CASES: Final[tuple[Case, ...]] = (
    *(
        case
        for job, rows in _JOBS.items()
        for case in _cases(job, {**rows, **_EVERY_JOB, **_own_policy(f"{MODEL}-{job}")})
    ),
    *_cases("pipeline", {**_PIPELINE, **_EVERY_JOB, **_own_policy(f"{MODEL}-pipeline")}),
    *_cases("events", {**_EVENTS, **_EVERY_JOB, **_own_policy(f"{MODEL}-events")}),
    *_cases("deploy", _DEPLOY),
    *_cases("preview", _PREVIEW),
    *_cases("promotion", _PROMOTION),
)


def role_arn(names: Names, role: str) -> str:
    """The ARN of a case's role."""
    bootstrapped = {
        "deploy": names.deploy_role_arn,
        "preview": names.preview_role_arn,
        "promotion": names.promotion_role_arn,
    }
    return bootstrapped.get(role) or names.role_arn(f"{MODEL}-{role}")


_INTRODUCTION: Final = """# What each role may not do

The rehearsal enforces IAM, and a test makes every call of this table with a session of the role, on the stack `dev`
with its bootstrap applied: the refusal must name the action, and what the role must be let goes through.
[ADR 14](adr/0014-iam-is-enforced-in-the-rehearsal.md) says how, [FIDELITY](../rehearsal/FIDELITY.md) what is not shown.

Written by `python -m tests.infra.applied.must_deny`.
"""


def page() -> str:
    """docs/least-privilege.md."""
    lines = [_INTRODUCTION]
    for role in dict.fromkeys(case.role for case in CASES):
        own = [case for case in CASES if case.role == role]
        may = ", ".join(case.what for case in own if not case.refused)
        lines += [f"## {role}", "", f"May {may}.", "", "| must be refused | action |", "| --- | --- |"]
        lines += [f"| {case.what} | `{case.refused}` |" for case in own if case.refused]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
