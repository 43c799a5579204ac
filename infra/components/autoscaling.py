"""The number of an endpoint's instances follows its invocations."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from models.spec import ModelSpec

_SCALE_OUT_S = 60
_SCALE_IN_S = 300
"""Slower than out: an instance that goes too early has to be waited for again."""


@dataclass(frozen=True, kw_only=True)
class AutoscalingArgs:
    """The endpoint, its variant and between how many instances it may have."""

    spec: ModelSpec
    endpoint: pulumi.Output[str]
    variant: str
    range: tuple[int, int]


class Autoscaling(pulumi.ComponentResource):
    """A scalable target and a policy that tracks invocations per instance and minute."""

    def __init__(self, name: str, args: AutoscalingArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:model:Autoscaling", name, None, opts)
        minimum, maximum = args.range
        target = aws.appautoscaling.Target(
            name,
            service_namespace="sagemaker",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            resource_id=pulumi.Output.concat("endpoint/", args.endpoint, f"/variant/{args.variant}"),
            min_capacity=minimum,
            max_capacity=maximum,
            opts=pulumi.ResourceOptions(parent=self),
        )
        metric = aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs(
            predefined_metric_type="SageMakerVariantInvocationsPerInstance"
        )
        aws.appautoscaling.Policy(
            name,
            name="invocations-per-instance",
            policy_type="TargetTrackingScaling",
            service_namespace=target.service_namespace,
            scalable_dimension=target.scalable_dimension,
            resource_id=target.resource_id,
            target_tracking_scaling_policy_configuration=aws.appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs(
                target_value=args.spec.serving.scaling.invocations_per_instance_per_minute,
                predefined_metric_specification=metric,
                scale_out_cooldown=_SCALE_OUT_S,
                scale_in_cooldown=_SCALE_IN_S,
            ),
            opts=pulumi.ResourceOptions(parent=target),
        )
        self.register_outputs({})
