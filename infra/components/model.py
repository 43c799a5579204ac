"""Everything one model has in a stack, hanging on the platform's outputs and on nothing else.

A pipeline and a group in the registry always; an endpoint once a release of the model is in the stack's release file.
"""

from dataclasses import dataclass

import pulumi

from infra.components.endpoint import Endpoint, EndpointArgs
from infra.components.endpoint_role import endpoint_statements
from infra.components.model_role import ModelRole, ModelRoleArgs
from infra.components.pipeline import Pipeline, PipelineArgs
from infra.components.registry import Registry, RegistryArgs
from infra.platform_outputs import PlatformOutputs
from models.release import Release
from models.spec import ModelSpec


@dataclass(frozen=True, kw_only=True)
class ModelDeploymentArgs:
    """The model, the platform it hangs on, and what of it is live."""

    spec: ModelSpec
    platform: PlatformOutputs
    release: Release | None


class ModelDeployment(pulumi.ComponentResource):
    """One model: roles, jobs, state machine, triggers, registry, and the endpoint of its release."""

    state_machine_arn: pulumi.Output[str]
    package_group: pulumi.Output[str]
    endpoint_name: pulumi.Output[str] | None
    """None as long as nothing is released."""

    def __init__(self, name: str, args: ModelDeploymentArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:model:Model", name, None, opts)
        spec, platform = args.spec, args.platform
        child = pulumi.ResourceOptions(parent=self)
        registry = Registry(name, RegistryArgs(spec=spec, platform=platform), child)
        pipeline = Pipeline(
            name,
            PipelineArgs(spec=spec, platform=platform, package_group=registry.package_group, release=args.release),
            child,
        )
        self.state_machine_arn = pipeline.state_machine_arn
        self.package_group = registry.package_group
        self.endpoint_name = self._endpoint(name, args)
        self.register_outputs({"state_machine_arn": self.state_machine_arn, "endpoint": self.endpoint_name})

    def _endpoint(self, name: str, args: ModelDeploymentArgs) -> pulumi.Output[str] | None:
        child = pulumi.ResourceOptions(parent=self)
        job = f"{args.spec.name}-endpoint"
        # The role is there before the first release, so that it has long spread through IAM by then.
        role = ModelRole(
            job,
            ModelRoleArgs(
                platform=args.platform,
                job=job,
                service="sagemaker.amazonaws.com",
                description=f"The endpoint of the model {args.spec.name}",
                statements=endpoint_statements(args.spec, args.platform),
            ),
            child,
        )
        if args.release is None:
            return None
        endpoint = Endpoint(
            name,
            EndpointArgs(spec=args.spec, platform=args.platform, release=args.release, role_arn=role.arn),
            child,
        )
        return endpoint.name
