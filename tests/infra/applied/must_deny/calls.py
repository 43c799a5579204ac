"""What the calls are about, how they are made, and those that no job may make."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infra.names import Names

MODEL: Final = "auto-mpg"
TABLE: Final = "auto_mpg"
PAGE: Final = Path(__file__).resolve().parents[4] / "docs" / "least-privilege.md"


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


def get_object(bucket: Callable[[Place], str], key: Callable[[Place], str] | str) -> Callable[[Any, Place], Any]:
    return lambda s3, place: s3.get_object(Bucket=bucket(place), Key=key if isinstance(key, str) else key(place))


def put_object(bucket: Callable[[Place], str], key: Callable[[Place], str] | str) -> Callable[[Any, Place], Any]:
    return lambda s3, place: s3.put_object(
        Bucket=bucket(place), Key=key if isinstance(key, str) else key(place), Body=b"1"
    )


def bucket_of(purpose: Any) -> Callable[[Place], str]:
    return lambda place: place.names.bucket(purpose)


def state_bucket(place: Place) -> str:
    return place.names.state_bucket


def cases(role: str, rows: Mapping[str, tuple[Any, ...]]) -> Iterator[Case]:
    for what, (service, call, *rest) in rows.items():
        refused, then = (*rest, None, None)[:2]
        yield Case(role=role, what=what, service=service, call=call, refused=refused, then=then)


GET, PUT, LIST = "s3:GetObject", "s3:PutObject", "s3:ListBucket"
landing, lake, artifacts, capture = (bucket_of(each) for each in ("landing", "lake", "artifacts", "capture"))
own_endpoint: Callable[[Any, Place], Any] = lambda sagemaker, place: sagemaker.update_endpoint(  # noqa: E731
    EndpointName=place.names.endpoint(MODEL), EndpointConfigName="another"
)
EVERY_JOB: Final[dict[str, tuple[Any, ...]]] = {
    "read another environment's lake": (
        "s3",
        lambda s3, place: s3.list_objects_v2(Bucket=place.other.bucket("lake"), Prefix="exports/"),
        LIST,
    ),
    "read Pulumi's state": ("s3", get_object(state_bucket, ".pulumi/stacks/drivetrain/dev.json"), GET),
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
    "change an endpoint": ("sagemaker", own_endpoint, "sagemaker:UpdateEndpoint"),
}
"""No job may do any of these."""


def own_policy(role: str) -> dict[str, tuple[Any, ...]]:
    return {
        "widen its own policy": (
            "iam",
            lambda iam, place: iam.put_role_policy(
                RoleName=place.names.role(role), PolicyName="more", PolicyDocument=ALLOW_ALL
            ),
            "iam:PutRolePolicy",
        )
    }


ALLOW_ALL: Final = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
