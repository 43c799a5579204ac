"""`drivetrain deploy`: one stack, from the preview to the proof that what runs is what was declared."""

import os
from dataclasses import asdict
from typing import Annotated

import typer

from cli.connection import DEFAULT_REHEARSAL, JsonOption, RehearsalOption
from cli.gate import judged
from cli.output import console, print_json
from cli.places import StackPlace, find_place
from cli.verify import StackArgument, print_verdicts
from delivery.backend import BACKEND_VARIABLE, backend_url, secrets_provider
from delivery.deploy import Outcome, Plan, Say
from delivery.deploy import deploy as deployed
from delivery.errors import DeliveryError
from delivery.gate import require
from delivery.preview import Preview
from delivery.pulumi import PulumiStack

CommitOption = Annotated[
    str, typer.Option("--commit", help="The commits whose messages may allow what the gate stops, such as A..B.")
]


def deploy(
    stack: StackArgument,
    commits: CommitOption = "",
    name: RehearsalOption = DEFAULT_REHEARSAL,
    as_json: JsonOption = False,
) -> None:
    """Preview, gate, apply and verify; a rollback is a failure with its reason, and what is live is kept."""
    place = find_place(stack, name)
    plan = plan_of(place)

    def say(line: str) -> None:
        if not as_json:
            console.print(f"   {line}", markup=False)

    def gate(preview: Preview) -> None:
        judge(place, preview, commits, say)

    outcome = deployed(plan, gate, say)
    if as_json:
        print_json({**asdict(outcome), "verdicts": [verdict.document() for verdict in outcome.verdicts]})
        return
    _summarise(place, outcome)


def judge(place: StackPlace, preview: Preview, commits: str, say: Say) -> None:
    """Let the preview pass, or raise what the gate has against it."""
    verdict = judged(place.connection.project_dir, preview, stack=place.stack, commits=commits)
    require(verdict)
    for line in (f"{len(preview.changes)} changes in {place.stack}", *verdict.text.splitlines()):
        say(line)


def plan_of(place: StackPlace) -> Plan:
    """What is deployed: this checkout, to the stack."""
    connection = place.connection
    if connection.rehearsal is not None:
        raise DeliveryError(
            f"the stack {place.stack} is in the rehearsal {connection.rehearsal.state_dir.name!r}, which applies it by "
            "itself: drivetrain local up, drivetrain releases adopt"
        )
    settings = connection.settings
    url = backend_url(settings)
    return Plan(
        project=settings.project,
        stack=PulumiStack(project_dir=connection.project_dir, name=place.stack, environment=_environment(url)),
        config_file=place.config_file,
        backend_url=url,
        names=connection.names,
        endpoints=place.endpoints,
        releases=place.releases,
        client=connection.client,
        # Whoever keeps the state elsewhere says how it is encrypted: PULUMI_CONFIG_PASSPHRASE.
        secrets_provider=None if BACKEND_VARIABLE in os.environ else secrets_provider(settings),
    )


def _environment(url: str) -> dict[str, str]:
    """The process's own, with the backend said once for every call of `pulumi`."""
    return {**os.environ, BACKEND_VARIABLE: url}


def _summarise(place: StackPlace, outcome: Outcome) -> None:
    counted = ", ".join(f"{count} {operation}" for operation, count in sorted(outcome.changes.items()))
    console.print(f"{outcome.stack} deployed in {outcome.seconds:.0f} s: {counted or 'nothing to do'}", markup=False)
    for warning in outcome.warnings:
        console.print(f"warning: {warning}", markup=False)
    print_verdicts(place, list(outcome.verdicts))
    removed = (*outcome.retired.configurations, *outcome.retired.models)
    if removed:
        console.print(f"removed, used by no endpoint: {', '.join(removed)}", markup=False)
