"""`--policy-pack FOLDER`: what the pack does not allow fails the command, as mandatory policies do.

The real engine starts the pack as a process of its own and asks it over gRPC. Here the rules that the pack holds are
called directly, over the resources that the program declares; so only the pack of this repository is taken.
"""

import datetime
from pathlib import Path

from infra.policies.evaluation import evaluate
from infra.policies.exemptions import load_exemptions
from infra.policies.resources import Resource
from rehearsal.engine import Plan
from rehearsal.engine.urn import name_of
from rehearsal.pulumi.errors import CONFIGURATION, FAILED, CommandError

PACK_FILE = "PulumiPolicy.yaml"


def enforce(folder: Path, plan: Plan) -> None:
    """Raise CommandError with every violation among what would be declared."""
    if not (folder / PACK_FILE).is_file():
        raise CommandError(f"{folder} is no policy pack: it has no {PACK_FILE}", CONFIGURATION)
    states = [step.new for step in plan.every_step if step.new is not None]
    resources = [
        Resource(
            type=state.type,
            name=name_of(state.urn),
            properties={key: value for key, value in state.inputs.items() if not key.startswith("__")},
            urn=state.urn,
            protect=state.protect,
        )
        for state in states
    ]
    violations = evaluate(resources, load_exemptions(), datetime.datetime.now(datetime.UTC).date())
    if violations:
        told = "\n".join(f"    [mandatory]  {violation.text}" for violation in violations)
        raise CommandError(f"Policy Violations:\n{told}\npreview failed", FAILED)
