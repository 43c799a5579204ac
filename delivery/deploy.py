"""One deployment, from the lock to the proof: what `drivetrain deploy` does, on AWS and rehearsed alike.

In order: nobody else holds the stack; nothing is still being changed; a preview that the gate lets pass; `pulumi up`;
what is live compared with what was declared; and only then the models and configurations that nothing uses are removed.
Every step may be repeated, so a deployment that was cut short is finished by running it again.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from delivery.endpoints.hours import reopen
from delivery.endpoints.live import settled_endpoint
from delivery.endpoints.live_instances import configuration_with, live_instances
from delivery.endpoints.retirement import Retired, retire
from delivery.endpoints.verify import Verdict, refuse, verify
from delivery.errors import DeliveryError
from delivery.pulumi.command import PulumiStack, UpSummary
from delivery.pulumi.locks import find_locks
from delivery.pulumi.preview import Preview
from infra.names import Names
from models.release import Release

SETTLING_S = 3600.0
"""As long as an update may take (infra/components/deployment.py, maximum execution timeout)."""
_CLOCKS_APART = timedelta(seconds=5)

Gate = Callable[[Preview], None]
Say = Callable[[str], None]
Client = Callable[[str], Any]


class HeldError(DeliveryError):
    """Another deployment holds the stack; the message says who, since when, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is deployed, and to where."""

    project: str
    stack: PulumiStack
    config_file: Path
    backend_url: str
    names: Names
    endpoints: Mapping[str, str]
    """The endpoint of every model that this stack holds, by the model's name."""
    releases: Mapping[str, Release]
    client: Client
    secrets_provider: str | None = None
    policy_pack: Path | None = None
    """Judges each resource before it is made, when every value is known; the gate judges the preview."""
    stops: bool = False
    """Whether its endpoints are stopped at times (endpoints/hours.py): they run again before anything is compared."""
    whole: bool = False
    """Whether the environment is this one stack, so that what models left behind that are gone is its own as well."""
    check_state: Callable[[Mapping[str, Any]], None] | None = None
    """Raises what is wrong with the state as it lies there, before anything is previewed."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a deployment did."""

    stack: str
    changes: Mapping[str, int]
    warnings: tuple[str, ...]
    instances: Mapping[str, int]
    """Live before, by model: what a new fleet began with at least."""
    verdicts: tuple[Verdict, ...]
    retired: Retired = field(default_factory=lambda: Retired(configurations=(), models=()))
    seconds: float


def deploy(plan: Plan, gate: Gate, say: Say) -> Outcome:
    """Deploy; raises what stands in the way: HeldError, the gate's error, PulumiError, NotAsDeclaredError.

    After NotAsDeclaredError the state is refreshed and what is live is kept; nothing is removed.
    """
    began = time.monotonic()
    refuse_held(plan)
    plan.stack.select_or_create(plan.secrets_provider)
    if plan.check_state is not None:
        plan.check_state(plan.stack.export())
    if plan.stops:
        reopen(plan.client, plan.endpoints.values(), plan.stack.export(), SETTLING_S)
    sagemaker = plan.client("sagemaker")
    for name in plan.endpoints.values():
        settled_endpoint(sagemaker, name, SETTLING_S)
    instances = live_instances(sagemaker, plan.endpoints)
    with configuration_with(plan.config_file, instances) as config_file:
        configured = replace(plan, stack=replace(plan.stack, config_file=config_file))
        summary, since = _apply(configured, gate, say)
        verdicts = _prove(configured, since, say)
    only = None if plan.whole else plan.endpoints.values()
    retired = retire(sagemaker, plan.names, plan.stack.export(), only=only)
    return Outcome(
        stack=plan.stack.name,
        changes=summary.changes,
        warnings=summary.warnings,
        instances=instances,
        verdicts=verdicts,
        retired=retired,
        seconds=time.monotonic() - began,
    )


def refuse_held(plan: Plan) -> None:
    """HeldError when somebody else is at work on the stack, or was killed there."""
    locks = find_locks(plan.backend_url, plan.project, plan.stack.name)
    if locks:
        name = plan.stack.name
        raise HeldError(
            f"the stack {name} is {locks[0]}; wait for it, or, when that deployment is known to be gone: "
            f"drivetrain lock release {name}, where somebody else held it with --older-than 2h"
        )


def _apply(plan: Plan, gate: Gate, say: Say) -> tuple[UpSummary, datetime]:
    say("preview")
    gate(plan.stack.preview())
    say("up")
    since = datetime.now(UTC) - _CLOCKS_APART
    return plan.stack.up(policy_pack=plan.policy_pack, on_line=say), since


def _prove(plan: Plan, since: datetime, say: Say) -> tuple[Verdict, ...]:
    """The verdicts, when all is as declared; else the state is refreshed first, so that it says what is live."""
    say("verify")
    sagemaker = plan.client("sagemaker")
    for model, name in plan.endpoints.items():
        if model in plan.releases:
            settled_endpoint(sagemaker, name, SETTLING_S)
    verdicts = verify(
        sagemaker=sagemaker,
        cloudwatch=plan.client("cloudwatch"),
        endpoints=plan.endpoints,
        releases=plan.releases,
        state=plan.stack.export(),
        since=since,
    )
    if not all(verdict.ok for verdict in verdicts):
        say("refresh")
        plan.stack.refresh()
        refuse(verdicts)
    return verdicts
