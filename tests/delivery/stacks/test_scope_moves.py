"""What `drivetrain scope` does with the states, in which order, and what is left when it is stopped anywhere."""

import copy
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from delivery.pulumi.checkpoint import StateError, resource_ids, resources
from delivery.pulumi.command import PulumiStack
from delivery.pulumi.preview import Preview, PreviewStep
from delivery.stacks.scope_moves import Move, join, split
from delivery.stacks.state_moves import divide
from infra.scope import ScopeError
from infra.settings import load_settings, stack_file
from infra.sources import project_directory
from tests.delivery.states import MODELS, whole

EMPTY: dict[str, Any] = {"version": 3, "deployment": {"manifest": {}}}
APART = ("dev-auto-mpg", "dev-bikes")


@dataclass
class Backend:
    """The states by stack; a preview shows a change where it is told to, a write may be the last one."""

    states: dict[str, dict[str, Any]]
    changing: set[tuple[str, str]] = field(default_factory=set)
    """Of stacks and the scope in which their preview shows a change."""
    writes_left: int = 100
    log: list[str] = field(default_factory=list)

    @property
    def owned(self) -> dict[tuple[str, str], str]:
        """The ids of all AWS resources that any state holds."""
        return {key: id_ for state in self.states.values() for key, id_ in resource_ids(state).items()}


class KilledError(BaseException):
    """Nothing of the process is left to put things right."""


@dataclass(frozen=True, kw_only=True)
class FakeStack(PulumiStack):
    backend: Backend

    def select_or_create(self, secrets_provider: str | None = None) -> None:
        self.backend.states.setdefault(self.name, copy.deepcopy(EMPTY))

    def export(self) -> dict[str, Any]:
        return copy.deepcopy(self.backend.states[self.name])

    def restore(self, deployment: Mapping[str, Any]) -> None:
        if not self.backend.writes_left:
            raise KilledError
        self.backend.writes_left -= 1
        self.backend.log.append(f"write {self.name}")
        self.backend.states[self.name] = copy.deepcopy(dict(deployment))

    def remove(self) -> None:
        assert not resources(self.backend.states[self.name])
        del self.backend.states[self.name]

    def preview(self, *, refresh: bool = False, policy_pack: Path | None = None) -> Preview:
        assert self.config_file is not None
        scope = load_settings(self.config_file.parent, "dev").scope
        self.backend.log.append(f"preview {self.name} {scope}")
        changed = (self.name, scope) in self.backend.changing
        steps = (PreviewStep(op="update", urn="urn", type="aws:sqs/queue:Queue", name="letters"),)
        return Preview(steps=steps if changed else (), change_summary={})


@dataclass(frozen=True, kw_only=True)
class FakeMove(Move):
    backend: Backend

    def stack(self, name: str) -> PulumiStack:
        return FakeStack(project_dir=self.project_dir, name=name, backend=self.backend)


@pytest.fixture
def move(tmp_path: Path) -> FakeMove:
    """The environment dev in one stack with two models."""
    shutil.copy(stack_file(project_directory(), "dev"), tmp_path)
    return FakeMove(
        project_dir=tmp_path,
        settings=load_settings(tmp_path, "dev"),
        models=MODELS,
        configuration=stack_file(tmp_path, "dev"),
        backups=tmp_path / "backups",
        backend=Backend(states={"dev": whole()}),
    )


def scope_of(move: Move) -> str:
    return load_settings(move.project_dir, "dev").scope


def quiet(line: str) -> None:
    assert line


def test_what_moves_is_written_where_it_goes_before_it_leaves(move: FakeMove) -> None:
    before = move.backend.owned
    moved = split(move, quiet)
    assert moved.models == MODELS
    assert moved.resources == 8
    first, *written = move.backend.log[: 1 + len(APART)]
    previewed = move.backend.log[1 + len(APART) : -2]
    assert first == "preview dev stack"
    assert written == [f"write {stack}" for stack in APART]
    assert sorted(previewed) == sorted(f"preview {stack} models" for stack in APART)  # at once
    assert move.backend.log[-2:] == ["write dev", "preview dev models"]
    assert move.backend.owned == before
    assert scope_of(move) == "models"

    move.backend.log.clear()
    assert join(move, quiet).models == MODELS
    assert [line for line in move.backend.log if line.startswith("write")] == [
        "write dev",
        *map("write {}".format, APART),
    ]
    assert list(move.backend.states) == ["dev"]
    assert move.backend.owned == before
    assert scope_of(move) == "stack"


def test_a_second_time_nothing_is_moved(move: FakeMove) -> None:
    split(move, quiet)
    states, move.backend.log[:] = copy.deepcopy(move.backend.states), []
    assert split(move, quiet).models == ()
    assert [line for line in move.backend.log if line.startswith("write")] == []
    assert move.backend.states == states
    join(move, quiet)
    assert join(move, quiet).models == ()
    assert list(move.backend.states) == ["dev"]


@pytest.mark.parametrize("writes", range(3))
def test_a_split_killed_after_any_write_loses_nothing_and_is_finished(move: FakeMove, writes: int) -> None:
    before, move.backend.writes_left = move.backend.owned, writes
    with pytest.raises(KilledError):
        split(move, quiet)
    assert move.backend.owned == before
    assert scope_of(move) == "stack"  # what deploys goes on as before
    assert resources(move.backend.states["dev"]) == resources(whole())
    move.backend.writes_left = 100
    assert split(move, quiet).models == MODELS
    assert move.backend.owned == before
    assert scope_of(move) == "models"


@pytest.mark.parametrize("writes", range(3))
def test_a_join_killed_after_any_write_loses_nothing_and_is_finished(move: FakeMove, writes: int) -> None:
    before = move.backend.owned
    split(move, quiet)
    move.backend.writes_left = writes
    with pytest.raises(KilledError):
        join(move, quiet)
    assert move.backend.owned == before
    assert scope_of(move) == "models"
    move.backend.writes_left = 100
    join(move, quiet)
    assert list(move.backend.states) == ["dev"]
    assert resource_ids(move.backend.states["dev"]) == before
    assert scope_of(move) == "stack"


def test_the_states_are_written_down_before_any_is_changed(move: FakeMove) -> None:
    said: list[str] = []
    move.backend.writes_left = 0
    with pytest.raises(KilledError):
        split(move, said.append)
    (folder,) = move.backups.iterdir()
    assert {path.name for path in folder.iterdir()} == {"dev.json", *(f"{stack}.json" for stack in APART)}
    assert any(str(folder) in line for line in said)


@pytest.mark.parametrize("stack", ["dev", "dev-bikes"])
def test_a_move_that_a_preview_would_change_something_after_is_taken_back(move: FakeMove, stack: str) -> None:
    move.backend.changing = {(stack, "models")}
    with pytest.raises(ScopeError, match=f"scope: models a preview shows changes.*{stack}: update .* letters"):
        split(move, quiet)
    assert move.backend.states["dev"] == whole()
    assert [resources(move.backend.states[each]) for each in APART] == [[], []]
    assert scope_of(move) == "stack"


def test_a_join_that_a_preview_would_change_something_after_is_taken_back(move: FakeMove) -> None:
    split(move, quiet)
    states = copy.deepcopy(move.backend.states)
    move.backend.changing = {("dev", "stack")}
    with pytest.raises(ScopeError, match="with scope: stack a preview shows changes"):
        join(move, quiet)
    assert move.backend.states == states
    assert scope_of(move) == "models"


def test_what_is_not_deployed_yet_is_deployed_first(move: FakeMove) -> None:
    move.backend.changing = {("dev", "stack")}
    with pytest.raises(ScopeError, match="Deploy what is to be changed first"):
        split(move, quiet)
    assert move.backend.states == {"dev": whole()}


def test_a_stack_that_owns_something_else_is_not_written_over(move: FakeMove) -> None:
    other = divide(whole(), "dev").models["bikes"]
    next(each for each in resources(other) if each["type"].startswith("aws:glue"))["id"] = "another-job"
    move.backend.states["dev-bikes"] = other
    with pytest.raises(StateError, match=r"dev-bikes holds what dev does not: bikes \(another-job\)"):
        split(move, quiet)
    assert move.backend.states["dev"] == whole()
    assert move.backend.states["dev-bikes"] == other


def test_a_deployment_in_between_stops_the_move(move: FakeMove) -> None:
    def deployed(line: str) -> None:
        if "still holds" in line:
            move.backend.states["dev"]["deployment"]["resources"].pop()

    with pytest.raises(ScopeError, match="dev was deployed while its models were moved"):
        split(move, deployed)
    assert len(resources(move.backend.states["dev"])) == len(resources(whole())) - 1  # what was deployed stays
    assert scope_of(move) == "stack"
