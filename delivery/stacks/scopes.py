"""The stacks of an environment, whether its state goes with its settings, and the line of the settings that says so."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import yaml

from delivery.pulumi.checkpoint import Document
from delivery.stacks.state_moves import is_platform_alone, models_in
from infra.scope import Scope, ScopeError, model_stack
from infra.settings import SETTINGS_KEY, Settings

_SCOPE_LINE = re.compile(r"^(?P<before>\s+scope:\s*)(\"?\w+\"?)(?P<after>.*)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class EnvironmentStacks:
    """The platform's stack is applied first; the models' may be applied at once, none where all is in one stack."""

    platform: str
    models: Mapping[str, str]
    """Stacks by the model's name."""


def stacks_of(settings: Settings, models: Iterable[str]) -> EnvironmentStacks:
    """The stacks that an environment of these models is made of."""
    environment = settings.stack
    apart = sorted(models) if settings.scope == "models" else []
    return EnvironmentStacks(platform=environment, models={model: model_stack(environment, model) for model in apart})


def refuse_other_scope(settings: Settings, state: Document) -> None:
    """ScopeError when the state of the environment's first stack is of the other scope than its settings.

    Applied so, models that run would be deleted from one stack, and others of the same names made in another.
    """
    environment = settings.stack
    if settings.scope == "models" and models_in(state):
        raise ScopeError(
            f"Pulumi.{environment}.yaml says `scope: models`, but the stack {environment} still holds "
            f"{', '.join(models_in(state))}; move what is there first: drivetrain scope split {environment}"
        )
    if settings.scope == "stack" and is_platform_alone(state):
        raise ScopeError(
            f"Pulumi.{environment}.yaml says `scope: stack`, but the models of {environment} are in stacks of their "
            f"own; move what is there first: drivetrain scope join {environment}"
        )


def with_scope(text: str, scope: Scope, origin: str) -> str:
    """The settings file with that scope in it; every other line is as it was. ScopeError when that cannot be done."""
    found = yaml.safe_load(text)
    found["config"][SETTINGS_KEY]["scope"] = scope
    changed = _SCOPE_LINE.sub(rf"\g<before>{scope}\g<after>", text, count=1)
    if yaml.safe_load(changed) != found:
        head = re.compile(rf"^(\s*){re.escape(SETTINGS_KEY)}:[ \t]*\n(?P<indent>[ \t]+)", re.MULTILINE)
        changed = head.sub(lambda match: f"{match[0]}scope: {scope}\n{match['indent']}", text, count=1)
    if yaml.safe_load(changed) != found:
        raise ScopeError(f"{origin}: `scope: {scope}` can be written there by hand only; do so, then move")
    return changed
