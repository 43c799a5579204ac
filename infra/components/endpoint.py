"""The endpoint of a released model, on instances or serverless as the stack's settings say.

The endpoint's name is fixed, as callers know it. The SageMaker model and the endpoint configuration cannot be changed,
so Pulumi names them: a release creates new ones and moves the endpoint over. Pulumi retains the old ones: an alarm may
have rolled the endpoint back to them while UpdateEndpoint counts as a success, and what is live must not be deleted.
`drivetrain deploy` removes what no endpoint uses, after it has verified what is live (docs/adr/0011).

Autoscaling changes the number of instances; alone it is no reason for a new configuration. When there is a new one for
another reason, it begins with as many as are live (Pulumi ignores `ignore_changes` where it replaces).

With `[serving.asynchronous]` it takes its requests from S3 and answers into S3 (asynchronous.py).

Serverless inference takes no VPC, network isolation, data capture or deployment guardrails
(https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html, feature exclusions), so they are left out
there rather than declared and refused.
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.asynchronous import AnswersTopic, AnswersTopicArgs, async_config, asynchronous
from infra.components.autoscaling import Autoscaling, AutoscalingArgs
from infra.components.deployment import deployment_config
from infra.components.endpoint_alarms import EndpointAlarms, EndpointAlarmsArgs
from infra.components.endpoint_variant import VARIANT, data_capture, instance_range, is_autoscaled, variant
from infra.live_instances import live_instances
from infra.platform_outputs import PlatformOutputs
from models.release import Release
from models.spec import ModelSpec
from pipelines.jobs import has_local_storage

_LOGICAL_NAME = 55
"""SageMaker's 63 characters less the eight that Pulumi adds."""
_INSTANCES = "productionVariants[0].initialInstanceCount"


@dataclass(frozen=True, kw_only=True)
class EndpointArgs:
    """The model, the platform, what is released and the role it runs with."""

    spec: ModelSpec
    platform: PlatformOutputs
    release: Release
    role_arn: pulumi.Input[str]

    @property
    def serverless(self) -> bool:
        """Whether the stack serves without instances."""
        return self.platform.settings.endpoint.mode == "serverless"


class Endpoint(pulumi.ComponentResource):
    """Model, endpoint configuration, endpoint, alarms and autoscaling."""

    name: pulumi.Output[str]

    def __init__(self, name: str, args: EndpointArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:model:Endpoint", name, None, opts)
        self._args = args
        self._physical = args.platform.names.endpoint(args.spec.name)
        self._child = pulumi.ResourceOptions(parent=self)
        log = self._log_group()
        model = self._model()
        configuration = self._configuration(model)
        EndpointAlarms(
            f"{name}-alarms",
            EndpointAlarmsArgs(spec=args.spec, platform=args.platform, variant=VARIANT),
            self._child,
        )
        endpoint = aws.sagemaker.Endpoint(
            name,
            name=self._physical,
            endpoint_config_name=configuration.name,
            deployment_config=None if args.serverless else self._deployment(name, configuration),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[log]),
        )
        if is_autoscaled(args.spec, args.platform):
            instances = instance_range(args.spec, args.platform)
            Autoscaling(
                f"{name}-scaling",
                AutoscalingArgs(endpoint=endpoint.name, variant=VARIANT, spec=args.spec, range=instances),
                self._child,
            )
        self.name = endpoint.name
        self.register_outputs({"name": self.name})

    def _deployment(
        self, name: str, configuration: aws.sagemaker.EndpointConfiguration
    ) -> aws.sagemaker.EndpointDeploymentConfigArgs:
        args = self._args
        alarms = EndpointAlarms(
            f"{name}-update-alarms",
            EndpointAlarmsArgs(
                spec=args.spec, platform=args.platform, variant=VARIANT, configuration=configuration.name
            ),
            self._child,
        )
        return deployment_config(args.spec, args.platform, alarms.names)

    def _model(self) -> aws.sagemaker.Model:
        args = self._args
        network = args.platform.network
        vpc = aws.sagemaker.ModelVpcConfigArgs(
            subnets=network.subnet_ids, security_group_ids=[network.endpoint_security_group_id]
        )
        return aws.sagemaker.Model(
            self._physical[:_LOGICAL_NAME],
            execution_role_arn=args.role_arn,
            enable_network_isolation=not args.serverless,
            vpc_config=None if args.serverless else vpc,
            primary_container=aws.sagemaker.ModelPrimaryContainerArgs(
                image=args.release.image,
                model_data_url=args.release.artefact,
                environment={
                    "MODEL_MANIFEST_SHA256": args.release.manifest_sha256,
                    "RELEASE": args.release.package,
                },
            ),
            opts=self._retained(),
        )

    def _configuration(self, model: aws.sagemaker.Model) -> aws.sagemaker.EndpointConfiguration:
        args = self._args
        live = live_instances().get(args.spec.name, 0)
        return aws.sagemaker.EndpointConfiguration(
            self._physical[:_LOGICAL_NAME],
            kms_key_arn=self._volume_key(),
            production_variants=[variant(args.spec, args.platform, model.name, live)],
            data_capture_config=None if args.serverless else data_capture(args.spec, args.platform),
            async_inference_config=async_config(args.spec, args.platform, self._answers_topic()),
            opts=self._retained(*([_INSTANCES] if is_autoscaled(args.spec, args.platform) else [])),
        )

    def _answers_topic(self) -> pulumi.Output[str] | None:
        settings = asynchronous(self._args.spec, self._args.platform)
        if settings is None or not settings.notify:
            return None
        args = AnswersTopicArgs(spec=self._args.spec, platform=self._args.platform)
        return AnswersTopic(f"{self._args.spec.name}-answers", args, self._child).arn

    def _retained(self, *ignored: str) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, retain_on_delete=True, ignore_changes=list(ignored))

    def _volume_key(self) -> pulumi.Input[str] | None:
        """SageMaker refuses a key for instances whose own disks encrypt in hardware."""
        local = has_local_storage(self._args.spec.serving.instance_type)
        return None if local and not self._args.serverless else self._args.platform.keys.data_arn

    def _log_group(self) -> aws.cloudwatch.LogGroup:
        """Before the endpoint, which otherwise makes one that is kept for ever."""
        platform = self._args.platform
        return aws.cloudwatch.LogGroup(
            f"{self._args.spec.name}-endpoint",
            name=f"/aws/sagemaker/Endpoints/{self._physical}",
            retention_in_days=platform.settings.observability.log_retention_days,
            kms_key_id=platform.keys.logs_arn,
            opts=self._child,
        )
