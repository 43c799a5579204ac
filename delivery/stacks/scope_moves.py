"""`drivetrain scope split` and `join`: models move between states, and nothing on AWS is touched.

What is moved is written to where it goes before it leaves where it was. So whoever is killed in the middle leaves it
twice in the states and never not at all, the settings file unchanged, and the same command finishes. A move is kept
only when previews afterwards show no change; else every state is put back as it was.
"""

import json
import os
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from delivery.pulumi.checkpoint import Document, StateError, emptied, resource_ids, resources
from delivery.pulumi.command import PulumiStack
from delivery.pulumi.preview import Preview
from delivery.stacks.scopes import with_scope
from delivery.stacks.state_moves import divide, models_in, unite
from infra.scope import Scope, ScopeError, model_stack
from infra.settings import Settings, stack_file

_AT_ONCE = 4
_SHOWN = 5
Say = Callable[[str], None]
_Write = Callable[[PulumiStack, Document, Document], None]


@dataclass(frozen=True, kw_only=True)
class Move:
    """The environment whose scope changes."""

    project_dir: Path
    settings: Settings
    models: Sequence[str]
    """Those of the checkout."""
    configuration: Path
    """What previews read: the settings file, or a copy with what a deployment adds to it."""
    backups: Path
    """Under this folder the states are written down before anything is changed."""
    environment: Mapping[str, str] | None = None
    secrets_provider: str | None = None

    @property
    def name(self) -> str:
        """The environment, and its first stack."""
        return self.settings.stack

    def stack(self, name: str) -> PulumiStack:
        """One of its stacks."""
        return PulumiStack(project_dir=self.project_dir, name=name, environment=self.environment)


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What was done: nothing where all was as asked already."""

    models: tuple[str, ...]
    resources: int
    backup: Path | None


def split(move: Move, say: Say) -> Moved:
    """Give each model a stack of its own; ScopeError or StateError say why not, and leave things as they were."""
    settings = _settings_with(move, "models")
    first = move.stack(move.name)
    before = first.export()
    division = divide(before, move.name)
    stacks = {model: move.stack(model_stack(move.name, model)) for model in division.models}
    if not stacks:
        _refuse_changes(move, "models", [move.name, *(model_stack(move.name, model) for model in move.models)], say)
        return _finish(move, settings, Moved(models=(), resources=0, backup=None))
    _refuse_changes(move, "stack", [move.name], say)
    for stack in stacks.values():
        stack.select_or_create(move.secrets_provider)
    there = {model: stack.export() for model, stack in stacks.items()}
    for model, state in there.items():
        _refuse_others(stacks[model].name, state, move.name, division.models[model])
    backup = _back_up(move, {move.name: before, **{stacks[model].name: state for model, state in there.items()}}, say)
    with _writing(backup, say) as write:
        for model, stack in stacks.items():
            write(stack, there[model], division.models[model])
        written = "one stack" if len(stacks) == 1 else f"{len(stacks)} stacks"
        say(f"{written} written; {move.name} still holds all of it")
        _refuse_changes(move, "models", [stack.name for stack in stacks.values()], say)
        _refuse_moved_on(first, before)
        write(first, before, division.platform)
        _refuse_changes(move, "models", [move.name], say)
    count = sum(len(resource_ids(state)) for state in division.models.values())
    return _finish(move, settings, Moved(models=tuple(stacks), resources=count, backup=backup))


def join(move: Move, say: Say) -> Moved:
    """Take the models back into the environment's first stack; their own stacks are removed. Raises as `split` does."""
    settings = _settings_with(move, "stack")
    first = move.stack(move.name)
    before = first.export()
    stacks = {model: move.stack(model_stack(move.name, model)) for model in move.models}
    for stack in stacks.values():
        stack.select_or_create(move.secrets_provider)
    states = {model: stack.export() for model, stack in stacks.items()}
    held = models_in(before)
    for model in held:
        _refuse_others(model_stack(move.name, model), states.get(model, {}), move.name, before)
    coming = {model: state for model, state in states.items() if resources(state)}
    moved = {model: len(resource_ids(state)) for model, state in coming.items()}
    backup = None
    if coming:
        if not held:  # else a join was cut short, and the first stack holds already what the others do
            _refuse_changes(move, "models", [move.name, *(stacks[model].name for model in coming)], say)
        backup = _back_up(
            move, {move.name: before, **{stacks[model].name: state for model, state in coming.items()}}, say
        )
    with _writing(backup, say) as write:
        if coming:
            write(first, before, unite(before, move.name, coming))
            say(f"{move.name} holds everything; the models' stacks still hold their part too")
        _refuse_changes(move, "stack", [move.name], say)
    for model, stack in stacks.items():
        stack.restore(emptied(states[model]))
        stack.remove()
    return _finish(move, settings, Moved(models=tuple(coming), resources=sum(moved.values()), backup=backup))


def _refuse_others(stack: str, state: Document, environment: str, known: Document) -> None:
    """What is already in a model's stack must be what `known` holds too, as a move that was cut short leaves it."""
    ids = resource_ids(known)
    others = [f"{name} ({id_})" for (type_, name), id_ in resource_ids(state).items() if ids.get((type_, name)) != id_]
    if others:
        raise StateError(
            f"the stack {stack} holds what {environment} does not: {_some(others)}. Both would own the model; see "
            f"which is right, and forget the other: pulumi stack rm --force --stack {stack}"
        )


def _refuse_moved_on(first: PulumiStack, before: Document) -> None:
    if resources(first.export()) != resources(before):
        raise ScopeError(f"{first.name} was deployed while its models were moved; move them again")


def _refuse_changes(move: Move, scope: Scope, stacks: Iterable[str], say: Say) -> None:
    """ScopeError unless previews with that scope show no change."""
    names = list(stacks)
    say(f"preview of {_some(names)} with scope: {scope}")
    with _configured(move, scope) as configuration, ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:

        def preview(name: str) -> Preview:
            return replace(move.stack(name), config_file=configuration).preview()

        found = [
            f"{name}: {step.op} {step.type} {step.name}"
            for name, shown in zip(names, pool.map(preview, names), strict=True)
            for step in shown.changes
        ]
    if found:
        raise ScopeError(
            f"with scope: {scope} a preview shows changes, and a move must bring none: {_some(found)}. Deploy what is "
            f"to be changed first (drivetrain deploy {move.name}), then move"
        )


@contextmanager
def _configured(move: Move, scope: Scope) -> Generator[Path]:
    """The configuration with that scope, in a file of its own."""
    text = with_scope(move.configuration.read_text(encoding="utf-8"), scope, move.configuration.name)
    with TemporaryDirectory(prefix="drivetrain-") as folder:
        copy = Path(folder) / f"Pulumi.{move.name}.yaml"
        copy.write_text(text, encoding="utf-8")
        yield copy


@contextmanager
def _writing(backup: Path | None, say: Say) -> Generator[_Write]:
    """A function that puts a new state in place of the old; when anything fails, the old ones are put back."""
    written: list[tuple[PulumiStack, Document]] = []

    def write(stack: PulumiStack, old: Document, new: Document) -> None:
        written.append((stack, old))
        stack.restore(new)

    try:
        yield write
    except Exception:
        for stack, old in reversed(written):  # what moved is back where it was before it leaves where it went
            stack.restore(old)
        if written:
            say(f"every state is as it was before; copies are in {backup}")
        raise


def _back_up(move: Move, states: Mapping[str, Document], say: Say) -> Path:
    folder = move.backups / f"{move.name}-{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z"
    folder.mkdir(parents=True)
    for name, state in states.items():
        (folder / f"{name}.json").write_text(json.dumps(state, indent=1), encoding="utf-8")
    say(f"the states as they are now: {folder} (put one back with: pulumi stack import --stack NAME --file NAME.json)")
    return folder


def _settings_with(move: Move, scope: Scope) -> str:
    file = stack_file(move.project_dir, move.name)
    return with_scope(file.read_text(encoding="utf-8"), scope, file.name)


def _finish(move: Move, settings: str, moved: Moved) -> Moved:
    file = stack_file(move.project_dir, move.name)
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.write_text(settings, encoding="utf-8")
    partial.replace(file)
    return moved


def _some(texts: Sequence[str]) -> str:
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more
