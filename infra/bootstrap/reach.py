"""How far the rights of one stack's deploy role reach: the ARNs of its own resources, by service.

Where AWS names resources itself (keys, networks) the stack's tag is what scopes: `owned` for what exists, `requested`
for what is being made, `claimed` for tagging what has no stack yet.
"""

from dataclasses import dataclass
from typing import Any

import pulumi

from infra.names import PULL_REQUESTS, BucketPurpose, Names


@dataclass(frozen=True, kw_only=True)
class Reach:
    """One stack, or all stacks of pull requests, with the keys that the bootstrap made for it."""

    names: Names
    protect: bool
    """Whether what holds data or identity stays: then nothing here may delete it."""
    state_key_arn: pulumi.Input[str]
    signing_key_arn: pulumi.Input[str]

    @property
    def prefix(self) -> str:
        """What the names of all its resources begin with."""
        return f"{self.names.project}-{self.names.authority}"

    @property
    def stack_pattern(self) -> str:
        """The stack's own name, or the pattern of those of pull requests."""
        return f"{PULL_REQUESTS}-*" if self.of_pull_requests else self.names.stack

    @property
    def role_arns(self) -> str:
        """Every role the stack may have."""
        return f"arn:aws:iam::{self.names.account_id}:role/{self.names.project}/{self.stack_pattern}/{self.prefix}-*"

    def role_arn(self, job: str) -> str:
        """The roles of one kind of job, such as `endpoint`, of whatever model."""
        return f"{self.role_arns.removesuffix('*')}*{job}"

    def arn(self, service: str, *resources: str) -> list[str]:
        """ARNs of the account and region, such as `arn("sqs", f"{reach.prefix}-*")`."""
        return [f"arn:aws:{service}:{self.names.region}:{self.names.account_id}:{each}" for each in resources]

    def bucket(self, purpose: BucketPurpose) -> str:
        """The ARN of one of its buckets."""
        middle = "-*" if self.of_pull_requests else ""
        return f"arn:aws:s3:::{self.prefix}{middle}-{self.names.account_id}-{purpose}"

    @property
    def buckets(self) -> str:
        """Its buckets, all of them."""
        return f"arn:aws:s3:::{self.prefix}-*"

    @property
    def database(self) -> str:
        """Its Glue databases."""
        return f"{self.prefix}_*".replace("-", "_")

    @property
    def owned(self) -> dict[str, Any]:
        """The condition that a resource is the stack's own."""
        return self._tags("aws:ResourceTag")

    @property
    def requested(self) -> dict[str, Any]:
        """The condition that a resource is made as the stack's own."""
        return self._tags("aws:RequestTag")

    @property
    def claimed(self) -> dict[str, Any]:
        """The condition that a resource is tagged as the stack's own and is nobody's yet: no stack's tag is changed."""
        return {**self.requested, "Null": {"aws:ResourceTag/stack": "true"}}

    @property
    def of_pull_requests(self) -> bool:
        """Whether it is all stacks of pull requests, which take the account's own settings as dev makes them."""
        return self.names.authority == PULL_REQUESTS

    def _tags(self, key: str) -> dict[str, dict[str, list[str]]]:
        mine = {f"{key}/project": [self.names.project], f"{key}/stack": [self.stack_pattern]}
        return {"StringLike": mine}
