"""The stack as a whole: its account, its tags, and the protection of what holds data or identity."""

from typing import Any

from infra.policies.checks import present
from infra.policies.resources import Properties, Resource, Stack
from infra.policies.rule import ResourceRule, Rule, StackRule
from infra.policies.sources import aws_docs, ml_lens

_PROVIDER = ("pulumi:providers:aws",)
_TAGS = ("managed-by", "project", "stack")
_PROTECTED = (
    "aws:dynamodb/table:Table",
    "aws:ecr/repository:Repository",
    "aws:glue/catalogDatabase:CatalogDatabase",
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
    "aws:kms/key:Key",
    "aws:s3/bucket:Bucket",
    "aws:s3/bucketV2:BucketV2",
    "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
)
_GOOD = {
    "region": "eu-west-1",
    "allowedAccountIds": '["111111111111"]',
    "defaultTags": '{"tags":{"managed-by":"pulumi","project":"drivetrain","stack":"dev"}}',
}


def _tagged(properties: Properties) -> str | None:
    # A provider's own properties travel as JSON text.
    given: dict[str, Any] = properties.document("defaultTags") or {}
    tags: dict[str, Any] = given.get("tags") or {}
    missing = [each for each in _TAGS if not tags.get(each)]
    return f"defaultTags lacks {', '.join(missing)}" if missing else None


def _protected(resource: Resource, stack: Stack) -> str | None:
    del stack
    return None if resource.protect else "protect is not set"


RULES: tuple[Rule, ...] = (
    ResourceRule(
        id="tags-default",
        title="Everything is tagged with project, stack and what manages it",
        sources=(
            ml_lens("MLCOST04-BP12"),
            aws_docs("Tagging best practices", "whitepapers/latest/tagging-best-practices/tagging-best-practices.html"),
        ),
        severity="medium",
        types=_PROVIDER,
        check=_tagged,
        passing=_GOOD,
        broken_by={"defaultTags": '{"tags":{"project":"drivetrain"}}'},
    ),
    ResourceRule(
        id="provider-account-pinned",
        title="A stack is applied to its own account only",
        sources=(ml_lens("MLSEC04-BP01"),),
        severity="high",
        types=_PROVIDER,
        check=present("allowedAccountIds"),
        passing=_GOOD,
        broken_by={"allowedAccountIds": None},
    ),
    StackRule(
        id="protect-data",
        title="What holds data or identity is protected from deletion",
        sources=(ml_lens("MLSEC03-BP02"), ml_lens("MLREL06-BP02")),
        severity="high",
        types=_PROTECTED,
        relation=_protected,
        passing=(Resource(type="aws:kms/key:Key", name="data", protect=True),),
        failing=(Resource(type="aws:kms/key:Key", name="data", protect=False),),
    ),
)
