"""`drivetrain smoke` and `drivetrain acceptance`: the tests of what is deployed, through its endpoints."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated

import typer

from cli.connection import DEFAULT_REHEARSAL, JsonOption, RehearsalOption
from cli.output import console, print_json, print_table
from cli.places import StackPlace, find_place
from cli.prediction import async_asker, is_asynchronous
from cli.verify import StackArgument
from delivery.acceptance.asking import Asker
from delivery.acceptance.behaviour import behaviour
from delivery.acceptance.contract import contract
from delivery.acceptance.findings import Check, RefusedModelError, refuse
from delivery.acceptance.load import LoadPlan, load
from delivery.acceptance.released import ReleasedModel, read_released
from delivery.acceptance.smoke import smoke as smoke_checks
from delivery.endpoints.asynchronous import AsyncRuntime
from models.spec import ModelSpec

SecondsOption = Annotated[float, typer.Option("--seconds", min=1, max=600, help="How long the load test asks.")]
CallersOption = Annotated[int, typer.Option("--callers", min=1, max=64, help="How many callers ask at once.")]
Look = Callable[[Asker, ReleasedModel, ModelSpec], list[Check]]


def smoke(stack: StackArgument, name: RehearsalOption = DEFAULT_REHEARSAL, as_json: JsonOption = False) -> None:
    """Ask every released model for one prediction, and whether it is the release that it should be."""
    place = find_place(stack, name, whole=True)
    _run(place, lambda asker, model, _spec: smoke_checks(asker, model), as_json=as_json)


def acceptance(
    stack: StackArgument,
    seconds: SecondsOption = 10,
    callers: CallersOption = 4,
    name: RehearsalOption = DEFAULT_REHEARSAL,
    as_json: JsonOption = False,
) -> None:
    """Test contract, data, behaviour and load of every released model; exit 1 when a check fails.

    The load of an asynchronous endpoint is not tested.
    """
    place = find_place(stack, name, whole=True)
    plan = LoadPlan(callers=callers, seconds=seconds)

    def look(asker: Asker, model: ReleasedModel, spec: ModelSpec) -> list[Check]:
        return [
            *contract(asker, model),
            *_data(place, model, spec),
            *behaviour(asker, model),
            # An asynchronous endpoint promises an answer, not its time.
            *([] if isinstance(asker.runtime, AsyncRuntime) else load(asker, model, plan)),
        ]

    _run(place, look, as_json=as_json)


def _data(place: StackPlace, model: ReleasedModel, spec: ModelSpec) -> list[Check]:
    # Two seconds that the smoke test need not wait for.
    from cli.data_report import open_lake  # noqa: PLC0415
    from delivery.acceptance.data import data  # noqa: PLC0415

    return data(open_lake(place.connection), spec, model)


def _run(place: StackPlace, look: Look, *, as_json: bool) -> None:
    """Look at every released model, print what was found, and refuse those of which a check failed."""
    connection, releases = place.connection, place.releases
    runtime, s3 = connection.client("sagemaker-runtime"), connection.client("s3")
    found: dict[str, list[Check]] = {}
    for spec in place.released:
        model = read_released(s3, releases[spec.name])
        behind = AsyncRuntime(async_asker(connection, spec)) if is_asynchronous(connection, spec) else runtime
        asker = Asker(runtime=behind, endpoint=connection.names.endpoint(spec.name))
        found[spec.name] = look(asker, model, spec)
    if as_json:
        print_json(
            {"stack": place.stack, "models": {name: [asdict(c) for c in checks] for name, checks in found.items()}}
        )
    elif not found:
        console.print(f"{place.stack}: nothing is released, so there is nothing to test", markup=False)
    else:
        rows = [
            (name, check.part, check.name, check.result, check.said)
            for name, checks in found.items()
            for check in checks
        ]
        print_table(f"tests of {place.stack}", ("model", "part", "check", "result", "found"), rows)
    _refuse(found)


def _refuse(found: dict[str, list[Check]]) -> None:
    """One error with every check of every model that failed."""
    reasons: list[str] = []
    for name, checks in found.items():
        try:
            refuse(name, checks)
        except RefusedModelError as error:
            reasons.append(str(error))
    if reasons:
        raise RefusedModelError("\n".join(reasons))
