"""`drivetrain deploy`: one stack, from the preview to the proof that what runs is what was declared."""

import os
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from cli.connection import DEFAULT_REHEARSAL, JsonOption, RehearsalOption
from cli.gate import CommitsOption, MessageOption, judged
from cli.output import console, print_json
from cli.places import StackPlace, find_place
from cli.preview import names_of_stacks, pulumi_stack
from cli.verify import StackArgument, print_verdicts
from delivery.deploy import SETTLING_S, Outcome, Plan
from delivery.deploy import deploy as deployed
from delivery.endpoints.hours import reopen
from delivery.errors import DeliveryError
from delivery.gate import GateError
from delivery.pulumi.backend import BACKEND_VARIABLE, backend_url, project_name, secrets_provider
from delivery.pulumi.command import PulumiStack
from delivery.pulumi.preview import Preview
from delivery.stacks.affected import affected
from delivery.stacks.changes import changed_paths
from delivery.stacks.changes import environments as environments_since
from delivery.stacks.scopes import refuse_other_scope, stacks_of
from delivery.stacks.several import in_waves, waves_of
from delivery.stacks.whole_state import whole_state
from infra.model_folders import model_names

POLICY_PACK = Path("infra") / "policies" / "pack"


def deploy(
    stack: StackArgument,
    commits: CommitsOption = "",
    message_file: MessageOption = None,
    name: RehearsalOption = DEFAULT_REHEARSAL,
    as_json: JsonOption = False,
) -> None:
    """Preview, gate, apply and verify; a rollback is a failure with its reason, and what is live is kept."""
    reopen_all(find_place(stack, name, whole=True))
    waves = stacks_to_deploy(find_place(stack, name), commits)
    several = sum(map(len, waves)) > 1

    def deploy_one(each: str) -> Outcome:
        place = find_place(each, name)

        def say(line: str) -> None:
            if not as_json:
                console.print(f"   {each}: {line}" if several else f"   {line}", markup=False)

        def gate(preview: Preview) -> None:
            verdict = judged(
                place.connection.project_dir, preview, stack=each, commits=commits, message_file=message_file
            )
            if not verdict.passed:
                raise GateError(verdict)
            say(verdict.text)

        return deployed(plan_of(place), gate, say)

    outcomes = in_waves(waves, deploy_one)
    if as_json:
        documents = [document_of(outcome) for outcome in outcomes]
        print_json({"stacks": documents} if several else documents[0] if documents else {"stacks": []})
        return
    for outcome in outcomes:
        _summarise(find_place(outcome.stack, name), outcome)
    if not outcomes:
        console.print(f"{commits} touch no stack of {stack}", markup=False)


def reopen_all(place: StackPlace) -> None:
    """Start what the hours stopped in any stack of an environment of several: what is tried out later asks them all.

    One stack alone is seen to by its own deployment.
    """
    settings = place.connection.settings
    stacks = names_of_stacks(place)
    if len(stacks) > 1 and settings.endpoint.hours is not None and place.connection.rehearsal is None:
        state = whole_state(pulumi_stack(place, each) for each in stacks)
        reopen(place.connection.client, place.endpoints.values(), state, SETTLING_S)


def stacks_to_deploy(place: StackPlace, commits: str) -> list[list[str]]:
    """The stack alone, or where an environment has several: the platform's first, then the models' at once.

    Of several, only those that the commits `A..B` touch, where they are said.
    """
    settings, project_dir = place.connection.settings, place.connection.project_dir
    if place.stack != place.environment or settings.scope == "stack":
        return [[place.stack]]
    stacks = stacks_of(settings, model_names(project_dir))
    since, dots, _ = commits.partition("..")
    if not since or not dots:
        return waves_of(stacks)
    environment = environments_since(project_dir, since, place.environment)
    found = affected(changed_paths(project_dir, since), environment, list(stacks.models))[place.environment]
    return waves_of(stacks, [*found["platform"], *found["models"]])


def document_of(outcome: Outcome) -> dict[str, Any]:
    """The outcome as JSON."""
    return {**asdict(outcome), "verdicts": [verdict.document() for verdict in outcome.verdicts]}


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
        project=project_name(connection.project_dir),
        stack=PulumiStack(project_dir=connection.project_dir, name=place.stack, environment=_environment(url)),
        config_file=place.config_file,
        backend_url=url,
        names=connection.names,
        check_state=partial(refuse_other_scope, settings) if place.stack == place.environment else None,
        endpoints=place.endpoints,
        stops=settings.endpoint.hours is not None,
        whole=settings.scope == "stack",
        releases=place.releases,
        client=connection.client,
        policy_pack=connection.project_dir / POLICY_PACK,
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
