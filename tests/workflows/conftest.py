"""One rehearsal for all workflows: three accounts, bootstrapped, and a repository that deploys there."""

import os
from collections.abc import Iterator

import pytest

from rehearsal import server
from tests.workflows import act
from tests.workflows.act import Run
from tests.workflows.world import STACKS, World, make_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """GitHub and three accounts, before the first merge."""
    if act.tool("act") is None:
        pytest.skip("no act; get it with: tests/install_packages")
    folder = tmp_path_factory.mktemp("delivery")
    rehearsal = server.start(folder / "rehearsal", stop_grace_s=2.0)
    try:
        made = make_world(folder, rehearsal)
        for stack in STACKS:
            made.bootstrap(stack)
        yield made
    finally:
        rehearsal.stop()


@pytest.fixture(scope="session")
def first_merge(world: World) -> Run:
    """The first merge to main: everything is made, from dev to production. `make rehearse` prints its log."""
    run = world.merge("The first merge")
    if os.environ.get("SHOW_WORKFLOW_LOG"):
        print(run.text)
    world.merged = world.git("rev-parse", "HEAD")
    return run
