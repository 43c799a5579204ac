"""The model's group in the SageMaker model registry: who registers, and that nobody else's account does."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.iam import policy_output, statement
from infra.platform_outputs import PlatformOutputs
from models.spec import ModelSpec


@dataclass(frozen=True, kw_only=True)
class RegistryArgs:
    """The model and the platform."""

    spec: ModelSpec
    platform: PlatformOutputs


class Registry(pulumi.ComponentResource):
    """A model package group and its policy."""

    package_group: pulumi.Output[str]

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:model:Registry", name, None, opts)
        spec, platform = args.spec, args.platform
        group = aws.sagemaker.ModelPackageGroup(
            name,
            model_package_group_name=platform.names.package_group(spec.name),
            model_package_group_description=spec.title,
            opts=pulumi.ResourceOptions(parent=self, protect=platform.settings.protect),
        )
        aws.sagemaker.ModelPackageGroupPolicy(
            name,
            model_package_group_name=group.model_package_group_name,
            resource_policy=_policy(spec, platform),
            opts=pulumi.ResourceOptions(parent=group),
        )
        self.package_group = group.model_package_group_name
        self.register_outputs({"package_group": self.package_group})


def _policy(spec: ModelSpec, platform: PlatformOutputs) -> pulumi.Output[str]:
    """The account may read and the pipeline's role may register; IAM decides for whom in the account."""
    sagemaker = f"arn:aws:sagemaker:{platform.region}:{platform.account_id}"
    group = platform.names.package_group(spec.name)
    arn, packages = f"{sagemaker}:model-package-group/{group}", f"{sagemaker}:model-package/{group}/*"
    account = {"AWS": [f"arn:aws:iam::{platform.account_id}:root"]}
    return policy_output(
        statement("DescribeGroup", ["sagemaker:DescribeModelPackageGroup"], [arn], principals=account),
        statement(
            "ReadPackages",
            ["sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"],
            [packages],
            principals=account,
        ),
        statement(
            "UsePackages",
            ["sagemaker:CreateModel", "sagemaker:CreateModelPackage", "sagemaker:UpdateModelPackage"],
            [packages],
            principals=account,
        ),
    )
