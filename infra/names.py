"""Every name that others refer to, from the stack's settings alone: the program, the command line and the jobs agree.

What is replaced by creating the new one first (SageMaker models, endpoint configurations) is named by Pulumi instead.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

BucketPurpose = Literal["landing", "lake", "artifacts", "capture", "query-results", "logs"]
BUCKET_PURPOSES: tuple[BucketPurpose, ...] = ("landing", "lake", "artifacts", "capture", "query-results", "logs")
Layer = Literal["raw", "curated", "quarantine", "predictions"]
LAYERS: tuple[Layer, ...] = ("raw", "curated", "quarantine", "predictions")
Image = Literal["training", "serving"]
IMAGES: tuple[Image, ...] = ("training", "serving")
PULL_REQUESTS = "pr"
PULL_REQUEST_STACK = re.compile(rf"^{PULL_REQUESTS}-\d+$")
"""The stack of a pull request, by its number: `pr-12`."""
PROMOTED_TO: Mapping[str, str] = {"dev": "staging", "staging": "production"}
"""Which stack comes after which, on the way to production."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """The names of one stack in one account and region."""

    project: str
    stack: str
    account_id: str
    region: str

    @property
    def prefix(self) -> str:
        """What every name of the stack begins with, such as `drivetrain-staging`."""
        return f"{self.project}-{self.stack}"

    @property
    def event_source(self) -> str:
        """The `source` of the events that the platform itself puts on the bus."""
        return self.prefix

    @property
    def announcement(self) -> str:
        """What tells GitHub of proposed releases: rule, connection, destination and queue have this name."""
        return f"{self.prefix}-release-proposed"

    @property
    def workgroup(self) -> str:
        """The Athena workgroup."""
        return self.prefix

    @property
    def registry(self) -> str:
        """The host of the account's ECR registry."""
        return f"{self.account_id}.dkr.ecr.{self.region}.amazonaws.com"

    def bucket(self, purpose: BucketPurpose) -> str:
        """A bucket's name; the account makes it unique in the world."""
        return f"{self.prefix}-{self.account_id}-{purpose}"

    def database(self, layer: Layer) -> str:
        """A Glue database; Athena wants underscores."""
        return f"{self.prefix}_{layer}".replace("-", "_")

    def role(self, job: str) -> str:
        """The role of one job, such as `auto-mpg-train`."""
        return f"{self.prefix}-{job}"

    def role_arn(self, job: str) -> str:
        """The ARN of that role, which holds the path of the stack's roles."""
        return f"arn:aws:iam::{self.account_id}:role{self.role_path}{self.role(job)}"

    @property
    def role_path(self) -> str:
        """Where the stack's own roles are: all that its deploy role may make or change."""
        return f"/{self.project}/{self.stack}/"

    @property
    def bootstrap_path(self) -> str:
        """Where the bootstrap's roles and boundaries are: above every stack's `role_path`, so in reach of none."""
        return f"/{self.project}/"

    @property
    def authority(self) -> str:
        """Under whose deploy role and boundary the stack stands: its own, or `pr` for all stacks of pull requests."""
        return PULL_REQUESTS if PULL_REQUEST_STACK.match(self.stack) else self.stack

    @property
    def deploy_role(self) -> str:
        """The role that applies the stack."""
        return f"{self.project}-{self.authority}-deploy"

    @property
    def deploy_role_arn(self) -> str:
        """The ARN of that role, which the bootstrap makes."""
        return f"arn:aws:iam::{self.account_id}:role{self.bootstrap_path}{self.deploy_role}"

    @property
    def preview_role(self) -> str:
        """The role that may only look."""
        return f"{self.project}-{self.authority}-preview"

    @property
    def preview_role_arn(self) -> str:
        """The ARN of that role, which the bootstrap makes."""
        return f"arn:aws:iam::{self.account_id}:role{self.bootstrap_path}{self.preview_role}"

    @property
    def promotion_role(self) -> str:
        """The role that the next stack's workflow reads with what is promoted to it: images, artefacts, packages."""
        return f"{self.project}-{self.authority}-promotion"

    @property
    def promotion_role_arn(self) -> str:
        """The ARN of that role, which the bootstrap makes."""
        return f"arn:aws:iam::{self.account_id}:role{self.bootstrap_path}{self.promotion_role}"

    @property
    def boundary(self) -> str:
        """The managed policy that bounds every role of the stack."""
        return f"{self.project}-{self.authority}-boundary"

    @property
    def boundary_arn(self) -> str:
        """The ARN of that policy, which the bootstrap makes."""
        return f"arn:aws:iam::{self.account_id}:policy{self.bootstrap_path}{self.boundary}"

    @property
    def state_bucket(self) -> str:
        """Pulumi's state of every stack of the account and region."""
        return f"{self.project}-{self.account_id}-{self.region}-pulumi-state"

    @property
    def state_key_alias(self) -> str:
        """The key of that bucket, and of the secrets inside, without `alias/`."""
        return f"{self.project}-pulumi-state"

    @property
    def signing_key_alias(self) -> str:
        """The key that signs releases and images, without `alias/`."""
        return f"{self.project}-{self.authority}-signing"

    def repository(self, image: Image) -> str:
        """An ECR repository."""
        return f"{self.prefix}-{image}"

    def state_machine(self, model: str) -> str:
        """The model's pipeline."""
        return f"{self.prefix}-{model}"

    def state_machine_arn(self, model: str) -> str:
        """The ARN of the model's pipeline."""
        return f"arn:aws:states:{self.region}:{self.account_id}:stateMachine:{self.state_machine(model)}"

    def glue_job(self, model: str, step: Literal["ingest", "validate"]) -> str:
        """A Glue job of the model's pipeline."""
        return f"{self.prefix}-{model}-{step}"

    def job_prefix(self, model: str) -> str:
        """What the model's SageMaker jobs are called, before the execution that they belong to."""
        return f"{self.prefix}-{model}"

    def package_group(self, model: str) -> str:
        """The model package group in the registry."""
        return f"{self.prefix}-{model}"

    def answers_topic(self, model: str) -> str:
        """The SNS topic that an asynchronous endpoint publishes its answers and failures on."""
        return f"{self.prefix}-{model}-answers"

    def answers_topic_arn(self, model: str) -> str:
        """The ARN of that topic."""
        return f"arn:aws:sns:{self.region}:{self.account_id}:{self.answers_topic(model)}"

    def endpoint(self, model: str) -> str:
        """The SageMaker endpoint."""
        return f"{self.prefix}-{model}"
