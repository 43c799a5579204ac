"""The shares of traffic that a DeploymentConfig asks for, in whole instances."""

from typing import Any

import pytest

from rehearsal.aws.endpoints.traffic import TrafficPlan, traffic_plan

ALARMS = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "slow"}]}}


def blue_green(kind: str, **size: Any) -> dict[str, Any]:
    routing = {"Type": kind, "WaitIntervalInSeconds": 300, **size}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": 60}, **ALARMS}


def size(kind: str, value: int) -> dict[str, Any]:
    return {"Type": kind, "Value": value}


@pytest.mark.parametrize(
    ("deployment", "instances", "shares"),
    [
        (blue_green("ALL_AT_ONCE"), 1, (1.0,)),
        (blue_green("CANARY", CanarySize=size("CAPACITY_PERCENT", 25)), 4, (0.25, 1.0)),
        (blue_green("CANARY", CanarySize=size("CAPACITY_PERCENT", 50)), 3, (2 / 3, 1.0)),
        (blue_green("CANARY", CanarySize=size("INSTANCE_COUNT", 1)), 2, (0.5, 1.0)),
        (blue_green("LINEAR", LinearStepSize=size("CAPACITY_PERCENT", 50)), 4, (0.5, 1.0)),
        (blue_green("LINEAR", LinearStepSize=size("INSTANCE_COUNT", 1)), 3, (1 / 3, 2 / 3, 1.0)),
    ],
)
def test_blue_green_shares(deployment: dict[str, Any], instances: int, shares: tuple[float, ...]) -> None:
    plan = traffic_plan(deployment, instances)
    assert plan.shares == pytest.approx(shares)
    assert (plan.bake_s, plan.termination_s, plan.alarms) == (300, 60, ("slow",))


def test_a_rolling_update_moves_as_much_traffic_as_instances() -> None:
    rolling = {"MaximumBatchSize": size("CAPACITY_PERCENT", 50), "WaitIntervalInSeconds": 120}
    plan = traffic_plan({"RollingUpdatePolicy": rolling, **ALARMS}, 4)
    assert (plan.shares, plan.bake_s, plan.alarms) == ((0.5, 1.0), 120, ("slow",))


def test_without_a_deployment_all_moves_at_once() -> None:
    assert traffic_plan(None, 3) == TrafficPlan()
