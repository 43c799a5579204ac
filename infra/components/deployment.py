"""How an endpoint moves to a new release: a part of the traffic or of the instances first, back by itself on alarm.

https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails.html. A single instance cannot be divided: there
the whole fleet is exchanged at once, watched by the same alarms before the old one is let go.
"""

import math
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from infra.components.endpoint_variant import instance_range
from infra.platform_outputs import PlatformOutputs
from models.spec import ModelSpec

_BAKE_S = 300
"""Longer than an alarm takes: two breaching minutes of three, and CloudWatch's delay."""
_LONGEST_S = 3600
_CANARY_PERCENT = 25
"""Of the instances, or as much as one whole instance is; SageMaker takes at most 50."""
_BATCH_PERCENT = 50


def deployment_config(
    spec: ModelSpec, platform: PlatformOutputs, alarm_names: Sequence[pulumi.Input[str]]
) -> aws.sagemaker.EndpointDeploymentConfigArgs:
    """Canary, rolling or all at once, as the model asks and the number of instances lets it."""
    minimum, _ = instance_range(spec, platform)
    rolling = minimum > 1 and spec.serving.deployment == "rolling"
    return aws.sagemaker.EndpointDeploymentConfigArgs(
        blue_green_update_policy=None if rolling else _blue_green(minimum),
        rolling_update_policy=_rolling() if rolling else None,
        auto_rollback_configuration=aws.sagemaker.EndpointDeploymentConfigAutoRollbackConfigurationArgs(
            alarms=[
                aws.sagemaker.EndpointDeploymentConfigAutoRollbackConfigurationAlarmArgs(alarm_name=name)
                for name in alarm_names
            ]
        ),
    )


def _blue_green(instances: int) -> aws.sagemaker.EndpointDeploymentConfigBlueGreenUpdatePolicyArgs:
    prefix = aws.sagemaker
    canary = instances > 1
    size = (
        prefix.EndpointDeploymentConfigBlueGreenUpdatePolicyTrafficRoutingConfigurationCanarySizeArgs(
            type="CAPACITY_PERCENT", value=max(_CANARY_PERCENT, math.ceil(100 / instances))
        )
        if canary
        else None
    )
    return prefix.EndpointDeploymentConfigBlueGreenUpdatePolicyArgs(
        traffic_routing_configuration=prefix.EndpointDeploymentConfigBlueGreenUpdatePolicyTrafficRoutingConfigurationArgs(
            type="CANARY" if canary else "ALL_AT_ONCE", wait_interval_in_seconds=_BAKE_S, canary_size=size
        ),
        termination_wait_in_seconds=_BAKE_S,
        maximum_execution_timeout_in_seconds=_LONGEST_S,
    )


def _rolling() -> aws.sagemaker.EndpointDeploymentConfigRollingUpdatePolicyArgs:
    batch = aws.sagemaker.EndpointDeploymentConfigRollingUpdatePolicyMaximumBatchSizeArgs(
        type="CAPACITY_PERCENT", value=_BATCH_PERCENT
    )
    return aws.sagemaker.EndpointDeploymentConfigRollingUpdatePolicyArgs(
        maximum_batch_size=batch,
        rollback_maximum_batch_size=aws.sagemaker.EndpointDeploymentConfigRollingUpdatePolicyRollbackMaximumBatchSizeArgs(
            type="CAPACITY_PERCENT", value=100
        ),
        wait_interval_in_seconds=_BAKE_S,
        maximum_execution_timeout_in_seconds=_LONGEST_S,
    )
