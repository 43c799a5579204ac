"""How traffic moves from the old fleet to the new one: the shares, the baking between them and the alarms looked at.

https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html: after every shift, the last one
included, the fleet bakes for the wait interval; the old fleet is let go once the termination wait is over.
"""

import math
from dataclasses import dataclass
from typing import Any

from rehearsal.aws.jobs.requests import entries, section


@dataclass(frozen=True, kw_only=True)
class TrafficPlan:
    """The shares of traffic that the new fleet gets, one after the other, ending with all of it."""

    shares: tuple[float, ...] = (1.0,)
    bake_s: float = 0.0
    """Declared seconds between two shifts, and after the last."""
    termination_s: float = 0.0
    alarms: tuple[str, ...] = ()


def traffic_plan(deployment: dict[str, Any] | None, instances: int) -> TrafficPlan:
    """The plan of a DeploymentConfig for a fleet of `instances`; without one all moves at once and nothing is watched.

    A rolling update is a linear one here: as much traffic moves as instances do.
    """
    if not deployment:
        return TrafficPlan()
    rolling = section(deployment, "RollingUpdatePolicy")
    policy = section(deployment, "BlueGreenUpdatePolicy")
    routing = section(policy, "TrafficRoutingConfiguration")
    first = section(routing, "CanarySize")
    step = section(routing, "LinearStepSize") or section(rolling, "MaximumBatchSize")
    shares: tuple[float, ...] = (1.0,)
    if routing.get("Type") == "CANARY":
        shares = (_share(first, instances), 1.0)
    elif routing.get("Type") == "LINEAR" or rolling:
        size = _share(step, instances)
        shares = tuple(min(1.0, size * (number + 1)) for number in range(math.ceil(1 / size)))
    return TrafficPlan(
        shares=shares,
        bake_s=float((rolling or routing).get("WaitIntervalInSeconds") or 0),
        termination_s=float(policy.get("TerminationWaitInSeconds") or 0),
        alarms=tuple(
            str(alarm["AlarmName"]) for alarm in entries(section(deployment, "AutoRollbackConfiguration"), "Alarms")
        ),
    )


def _share(size: dict[str, Any], instances: int) -> float:
    """A CapacitySize as a share of the fleet: whole instances, at least one."""
    value = int(size.get("Value") or 0)
    wanted = value if size.get("Type") == "INSTANCE_COUNT" else instances * value / 100
    return min(1.0, max(1, math.ceil(wanted)) / max(1, instances))
