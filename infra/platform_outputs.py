"""What a model hangs on: the platform's outputs, and the one thing that platform and models share."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi

from infra.names import BucketPurpose, Image, Layer, Names
from infra.settings import Settings
from models.release import Release


@dataclass(frozen=True, kw_only=True)
class NetworkOutputs:
    """Where jobs and endpoints run."""

    vpc_id: pulumi.Output[str]
    subnet_ids: list[pulumi.Output[str]]
    """Private, one per availability zone."""
    job_security_group_id: pulumi.Output[str]
    endpoint_security_group_id: pulumi.Output[str]
    """Of the SageMaker endpoints that serve models."""
    glue_connections: list[pulumi.Output[str]]
    """Names of the Glue connections, one per subnet: a Glue job names at least one to run in the VPC."""


@dataclass(frozen=True, kw_only=True)
class KeyOutputs:
    """ARNs of the customer managed keys."""

    data_arn: pulumi.Output[str]
    """Buckets, volumes, catalog, images."""
    logs_arn: pulumi.Output[str]
    """CloudWatch log groups."""
    messages_arn: pulumi.Output[str]
    """SNS topics and SQS queues; CloudWatch, EventBridge and Budgets may use it to publish."""


@dataclass(frozen=True, kw_only=True)
class Bucket:
    """A bucket that exists before its outputs are used: its policies are in place too."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]


@dataclass(frozen=True, kw_only=True)
class Repository:
    """An ECR repository and the content tag of the image that the present sources make."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    url: pulumi.Output[str]
    tag: str
    """Of the sources in the image that the stack's models use, such as `src-0123456789abcdef`, and immutable.

    Whoever deploys pushes the image under it, and under the tag of each model, see `sources.content_tags`."""


@dataclass(frozen=True, kw_only=True)
class PlatformOutputs:
    """Everything that a model's pipeline, registry and endpoint need to know."""

    project_dir: Path
    settings: Settings
    names: Names
    network: NetworkOutputs
    keys: KeyOutputs
    buckets: Mapping[BucketPurpose, Bucket]
    repositories: Mapping[Image, Repository]
    databases: Mapping[Layer, pulumi.Output[str]]
    """Names of the Glue databases."""
    security_configuration: pulumi.Output[str]
    """Name of the Glue security configuration that every Glue job runs under."""
    workgroup: pulumi.Output[str]
    """Name of the Athena workgroup."""
    alarm_topic_arn: pulumi.Output[str]
    releases: Mapping[str, Release]
    """What is live, by model name."""

    @property
    def account_id(self) -> str:
        """The account of the stack, 12 digits."""
        return self.settings.account_id

    @property
    def region(self) -> str:
        """The region of the stack."""
        return self.settings.region
