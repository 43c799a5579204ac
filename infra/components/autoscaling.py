"""The number of an endpoint's instances follows its invocations, of an asynchronous one what waits for it."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import appautoscaling

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
    """A scalable target and a policy that tracks invocations per instance and minute, or the requests that wait."""

    def __init__(self, name: str, args: AutoscalingArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:model:Autoscaling", name, None, opts)
        minimum, maximum = args.range
        target = appautoscaling.Target(
            name,
            service_namespace="sagemaker",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            resource_id=pulumi.Output.concat("endpoint/", args.endpoint, f"/variant/{args.variant}"),
            min_capacity=minimum,
            max_capacity=maximum,
            opts=pulumi.ResourceOptions(parent=self),
        )
        waiting = args.spec.serving.asynchronous
        appautoscaling.Policy(
            name,
            name="invocations-per-instance" if waiting is None else "backlog-per-instance",
            policy_type="TargetTrackingScaling",
            service_namespace=target.service_namespace,
            scalable_dimension=target.scalable_dimension,
            resource_id=target.resource_id,
            target_tracking_scaling_policy_configuration=appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs(
                target_value=(
                    args.spec.serving.scaling.invocations_per_instance_per_minute
                    if waiting is None
                    else waiting.backlog_per_instance
                ),
                predefined_metric_specification=_invocations() if waiting is None else None,
                customized_metric_specification=None if waiting is None else _backlog(args.endpoint),
                scale_out_cooldown=_SCALE_OUT_S,
                scale_in_cooldown=_SCALE_IN_S,
            ),
            opts=pulumi.ResourceOptions(parent=target),
        )
        self.register_outputs({})


def _invocations() -> appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs:
    return appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs(
        predefined_metric_type="SageMakerVariantInvocationsPerInstance"
    )


def _backlog(
    endpoint: pulumi.Output[str],
) -> appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationArgs:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-autoscale.html."""
    dimension = appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationDimensionArgs
    return appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationCustomizedMetricSpecificationArgs(
        namespace="AWS/SageMaker",
        metric_name="ApproximateBacklogSizePerInstance",
        statistic="Average",
        dimensions=[dimension(name="EndpointName", value=endpoint)],
    )
