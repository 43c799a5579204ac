"""`drivetrain verify`: is what runs what was declared?"""

import json
import os
from typing import Annotated, Any

import typer

from cli.connection import DEFAULT_REHEARSAL, JsonOption, RehearsalOption
from cli.output import console, print_json, print_table
from cli.places import StackPlace, find_place
from delivery.endpoints.verify import Verdict, refuse
from delivery.endpoints.verify import verify as verified
from delivery.pulumi.backend import BACKEND_VARIABLE, backend_url
from delivery.pulumi.command import PulumiStack

StackArgument = Annotated[str, typer.Argument(help="A stack, as in Pulumi.<stack>.yaml.")]


def verify(stack: StackArgument, name: RehearsalOption = DEFAULT_REHEARSAL, as_json: JsonOption = False) -> None:
    """Compare every released model's endpoint with its release and the stack's state; exit 1 when they differ."""
    place = find_place(stack, name, whole=True)
    verdicts = [verdict for group in _by_stack(place) for verdict in group]
    if as_json:
        print_json({"stack": stack, "models": [verdict.document() for verdict in verdicts]})
        if not all(verdict.ok for verdict in verdicts):
            raise typer.Exit(1)
        return
    print_verdicts(place, verdicts)
    refuse(verdicts)


def _by_stack(place: StackPlace) -> list[tuple[Verdict, ...]]:
    """The verdicts of each stack that holds models of the place."""
    stacks: dict[str, dict[str, str]] = {}
    releases = place.releases
    for model, endpoint in place.endpoints.items():
        if model in releases:
            stacks.setdefault(place.stack_of(model), {})[model] = endpoint
    connection = place.connection
    return [
        verified(
            sagemaker=connection.client("sagemaker"),
            cloudwatch=connection.client("cloudwatch"),
            endpoints=endpoints,
            releases=releases,
            state=state_of(place, stack),
        )
        for stack, endpoints in stacks.items()
    ]


def state_of(place: StackPlace, stack: str) -> dict[str, Any]:
    """The stack's state: the rehearsal's own file where it applied the stack, else what Pulumi exports."""
    connection = place.connection
    if connection.rehearsal is not None:
        file = connection.rehearsal.state_dir / "stacks" / f"{stack}.json"
        return json.loads(file.read_text(encoding="utf-8"))
    environment = {**os.environ, BACKEND_VARIABLE: backend_url(connection.settings)}
    return PulumiStack(project_dir=connection.project_dir, name=stack, environment=environment).export()


def print_verdicts(place: StackPlace, verdicts: list[Verdict]) -> None:
    """A line for every released model."""
    if not verdicts:
        console.print(f"{place.stack}: nothing is released, so there is nothing to verify", markup=False)
        return
    rows = [
        (
            verdict.model,
            "as declared" if verdict.ok else "rolled back" if verdict.rolled_back else "otherwise",
            verdict.release.rpartition("model-package/")[2] or "none",
            verdict.configuration or "none",
            verdict.instances or "serverless",
        )
        for verdict in verdicts
    ]
    print_table(f"what is live in {place.stack}", ("model", "verdict", "release", "configuration", "instances"), rows)
