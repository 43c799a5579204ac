"""A model moves to a stack of its own and back on the rehearsal: nothing is touched, no preview shows a change."""

import io
import shutil
import threading
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from typing import Any

import pytest

from delivery.pulumi.checkpoint import resource_ids
from delivery.pulumi.command import PulumiError, PulumiStack
from delivery.stacks.scope_moves import Move, join, split
from delivery.stacks.scopes import refuse_other_scope, stacks_of
from infra.scope import ScopeError
from infra.settings import load_settings, stack_file
from infra.sources import project_directory
from rehearsal import server
from rehearsal.pulumi.command import main

pytestmark = pytest.mark.slow
MODEL, STACK = "auto-mpg", "dev-auto-mpg"
_FILES = ("__main__.py", "Pulumi.yaml", "Pulumi.dev.yaml")
_FOLDERS = ("infra", "models", "lake", "pipelines", "monitoring", "training", "serving", "requirements")
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, kw_only=True)
class InProcess(PulumiStack):
    """The stand-in called as a function: a process of its own would import pulumi_aws anew, twenty times over."""

    def _run(self, command: list[str], *, stdin: str = "", each_line: Any = None, config: bool = True) -> str:
        options = ["--stack", self.name, "--non-interactive", "--color", "never"]
        if config and self.config_file is not None:
            options += ["--config-file", str(self.config_file)]
        out, err = io.StringIO(), io.StringIO()
        with _one_at_a_time, pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.project_dir)
            patch.setattr("sys.stdin", io.StringIO(stdin))
            for name, value in (self.environment or {}).items():
                patch.setenv(name, value)
            code = main([*command, *options])
        if code:
            raise PulumiError(self.name, command, err.getvalue() or out.getvalue(), code)
        for line in out.getvalue().splitlines(keepends=True) if each_line else ():
            each_line(line)
        return out.getvalue()


class InProcessMove(Move):
    """A move whose stacks are such."""

    def stack(self, name: str) -> PulumiStack:
        return InProcess(project_dir=self.project_dir, name=name, environment=self.environment)


@pytest.fixture(scope="module")
def move(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Move]:
    """The environment dev, applied as one stack."""
    folder = tmp_path_factory.mktemp("scopes")
    project = folder / "project"
    project.mkdir()
    for name in _FILES:
        shutil.copy(project_directory() / name, project / name)
    for name in _FOLDERS:
        shutil.copytree(project_directory() / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    settings = load_settings(project, "dev")
    (folder / "state").mkdir()
    rehearsal = server.start(folder / "rehearsal", stop_grace_s=2.0)
    try:
        found = InProcessMove(
            project_dir=project,
            settings=settings,
            models=[MODEL],
            configuration=stack_file(project, "dev"),
            backups=folder / "backups",
            environment={
                **rehearsal.environment(settings.account_id, settings.region),
                "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
                "PULUMI_HOME": str(folder / "home"),
                "PULUMI_CONFIG_PASSPHRASE": "",
            },
        )
        found.stack("dev").select_or_create()
        found.stack("dev").up()
        yield found
    finally:
        rehearsal.stop()


def ids(move: Move, *stacks: str) -> dict[tuple[str, str], str]:
    return {key: value for stack in stacks for key, value in resource_ids(move.stack(stack).export()).items()}


def test_a_model_moves_to_a_stack_of_its_own_and_back(move: Move) -> None:
    whole, one_stack = ids(move, "dev"), load_settings(move.project_dir, "dev")
    assert len(whole) > 100
    said: list[str] = []
    moved = split(move, said.append)
    assert moved.models == (MODEL,)
    settings = load_settings(move.project_dir, "dev")
    assert stacks_of(settings, [MODEL]).models == {MODEL: STACK}
    assert len(ids(move, STACK)) == moved.resources > 40
    assert ids(move, "dev").keys().isdisjoint(ids(move, STACK))
    assert ids(move, "dev", STACK) == whole
    # The models' stack is applied: nothing is to be done, and the state records what it reads.
    applied = replace(move.stack(STACK), config_file=stack_file(move.project_dir, "dev")).up()
    assert applied.changed == 0
    refuse_other_scope(settings, move.stack("dev").export())
    with pytest.raises(ScopeError, match="drivetrain scope join dev"):
        refuse_other_scope(one_stack, move.stack("dev").export())
    assert moved.backup is not None
    assert {path.name for path in moved.backup.iterdir()} == {"dev.json", f"{STACK}.json"}

    back = join(replace(move, settings=settings), said.append)
    assert back.models == (MODEL,)
    assert load_settings(move.project_dir, "dev") == one_stack
    assert ids(move, "dev") == whole
    with pytest.raises(PulumiError, match=f"no stack named '{STACK}' found"):
        move.stack(STACK).export()
