"""Every name that others refer to, from the stack's settings alone: the program, the command line and the jobs agree.

What is replaced by creating the new one first (SageMaker models, endpoint configurations) is named by Pulumi instead.
"""

from dataclasses import dataclass
from typing import Literal

BucketPurpose = Literal["landing", "lake", "artifacts", "capture", "query-results", "logs"]
BUCKET_PURPOSES: tuple[BucketPurpose, ...] = ("landing", "lake", "artifacts", "capture", "query-results", "logs")
Layer = Literal["raw", "curated", "quarantine"]
LAYERS: tuple[Layer, ...] = ("raw", "curated", "quarantine")
Image = Literal["training", "serving"]
IMAGES: tuple[Image, ...] = ("training", "serving")


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
        """The ARN of that role."""
        return f"arn:aws:iam::{self.account_id}:role/{self.role(job)}"

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

    def endpoint(self, model: str) -> str:
        """The SageMaker endpoint."""
        return f"{self.prefix}-{model}"
