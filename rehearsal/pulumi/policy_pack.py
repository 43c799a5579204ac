"""`--policy-pack FOLDER`: what the pack does not allow fails the command, as mandatory policies do.

The real engine starts the pack as a process of its own and asks it over gRPC. Here the rules that the pack holds are
called directly; so only the pack of this repository is taken. They judge the plan first, where some values are not
known yet, and then each resource before it is touched, when all are.
"""

import datetime
from pathlib import Path

from infra.policies.catalogue import ALL_RULES
from infra.policies.evaluation import Violation, assess, evaluate
from infra.policies.exemptions import load_exemptions
from infra.policies.resources import Resource
from infra.policies.rule import ResourceRule
from rehearsal.engine import Plan
from rehearsal.engine.resource_state import ResourceState
from rehearsal.engine.results import Inspect
from rehearsal.engine.urn import name_of
from rehearsal.pulumi.errors import CONFIGURATION, FAILED, CommandError

PACK_FILE = "PulumiPolicy.yaml"


def enforce(folder: Path, plan: Plan) -> None:
    """Raise CommandError with every violation among what would be declared."""
    _check_pack(folder)
    resources = [_resource(step.new) for step in plan.every_step if step.new is not None]
    violations = evaluate(resources, load_exemptions(), _today())
    if violations:
        told = "\n".join(f"    {_told(violation)}" for violation in violations)
        raise CommandError(f"Policy Violations:\n{told}\npreview failed", FAILED)


def inspector(folder: Path) -> Inspect:
    """What the rules over one resource have against it."""
    _check_pack(folder)
    rules = [rule for rule in ALL_RULES if isinstance(rule, ResourceRule)]
    exemptions, today = load_exemptions(), _today()

    def inspect(state: ResourceState) -> str:
        found = assess([_resource(state)], exemptions, today, rules).violations
        return "; ".join(_told(violation) for violation in found)

    return inspect


def _check_pack(folder: Path) -> None:
    if not (folder / PACK_FILE).is_file():
        raise CommandError(f"{folder} is no policy pack: it has no {PACK_FILE}", CONFIGURATION)


def _resource(state: ResourceState) -> Resource:
    return Resource(
        type=state.type,
        name=name_of(state.urn),
        properties={key: value for key, value in state.inputs.items() if not key.startswith("__")},
        urn=state.urn,
        protect=state.protect,
    )


def _told(violation: Violation) -> str:
    return f"[mandatory]  {violation.text}"


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()
