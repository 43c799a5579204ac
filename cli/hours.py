"""`drivetrain hours`: endpoints outside production run while somebody works, and stop when they go home."""

import datetime
from typing import Annotated

import typer

from cli.connection import DEFAULT_REHEARSAL, RehearsalOption
from cli.output import console
from cli.places import StackPlace, find_place
from cli.preview import StackArgument, names_of_stacks, pulumi_stack
from delivery.endpoints.hours import Moved, close, is_open, reopen
from delivery.pulumi.backend import backend_url, project_name
from delivery.stacks.at_work import deployed_since, held_by
from delivery.stacks.whole_state import whole_state

OpenOption = Annotated[
    bool | None, typer.Option("--open/--close", help="Whatever the clock says: start the endpoints, or stop them.")
]
_WAIT_S = 1800
_LEFT_ALONE = datetime.timedelta(hours=2)
"""As long as a deployment and what is tried out after it may take."""


def hours(stack: StackArgument, to_open: OpenOption = None, name: RehearsalOption = DEFAULT_REHEARSAL) -> None:
    """Bring the stack's endpoints to what endpoint.hours in its settings says for now; the same again does nothing."""
    place = find_place(stack, name, whole=True)
    agreed = place.connection.settings.endpoint.hours
    if agreed is None:
        console.print(f"the endpoints of {stack} run at all hours: its settings have no endpoint.hours", markup=False)
        return
    now = datetime.datetime.now(datetime.UTC)
    wanted = is_open(agreed, now) if to_open is None else to_open
    busy = at_work(place, None if wanted or to_open is False else now - _LEFT_ALONE)
    if busy:
        console.print(f"the endpoints of {stack} are left as they are: {busy}", markup=False)
        return
    found = _opened(place) if wanted else _closed(place, now if to_open is False else now - _LEFT_ALONE)
    word = "started" if wanted else "stopped"
    for endpoint in found.moved:
        console.print(f"{word} {endpoint}", markup=False)
    for endpoint in found.busy:
        console.print(f"{endpoint} was changed just now; left for the next time", markup=False)
    if not found.moved and not found.busy:
        console.print(f"nothing to do: the endpoints of {stack} are {word}", markup=False)


def at_work(place: StackPlace, deployed_after: datetime.datetime | None) -> str:
    """Who is at work on one of the environment's stacks, or that one was deployed after that; empty when neither."""
    connection = place.connection
    url, project = backend_url(connection.settings), project_name(connection.project_dir)
    stacks = names_of_stacks(place)
    held = held_by(url, project, stacks)
    return held or ("" if deployed_after is None else deployed_since(url, project, stacks, deployed_after))


def _opened(place: StackPlace) -> Moved:
    state = whole_state(pulumi_stack(place, each) for each in names_of_stacks(place))
    return reopen(place.connection.client, place.endpoints.values(), state, _WAIT_S)


def _closed(place: StackPlace, changed_before: datetime.datetime) -> Moved:
    return close(place.connection.client, place.endpoints.values(), changed_before)
