"""The one AWS provider of the program: nothing is declared through the default one."""

import pulumi
import pulumi_aws as aws

from infra.settings import Settings


def declare_provider(settings: Settings) -> aws.Provider:
    """A provider for the stack's region that refuses every account but the stack's own, and tags what it makes."""
    return aws.Provider(
        "aws",
        region=aws.Region(settings.region),
        allowed_account_ids=[settings.account_id],
        default_tags=aws.ProviderDefaultTagsArgs(tags=settings.default_tags),
    )


def through(provider: aws.Provider) -> pulumi.ResourceOptions:
    """Options of a top-level component: all its children use `provider`."""
    return pulumi.ResourceOptions(providers=[provider])
