"""Which stacks an environment is made of, and which of them a stack's name stands for.

With `scope: stack` an environment is one stack, named as it (`dev`). With `scope: models` that stack holds the
platform, and each model has a stack of its own beside it (`dev-auto-mpg`). All of them share `Pulumi.dev.yaml`.
Nothing here imports Pulumi, so that the command line knows the same stacks.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

Scope = Literal["stack", "models"]


class ScopeError(Exception):
    """A stack and the settings of its environment do not go together; the message says what would be right."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """What a stack is: the environment it belongs to, and its model, or None for the environment's first stack."""

    environment: str
    model: str | None = None


def model_stack(environment: str, model: str) -> str:
    """The stack of one model in an environment with `scope: models`, such as `dev-auto-mpg`."""
    return f"{environment}-{model}"


def environment_of(stack: str, environments: Collection[str]) -> str:
    """The environment whose settings `stack` takes: the longest one that its name begins with, or the name itself."""
    if stack in environments:
        return stack
    return max((each for each in environments if stack.startswith(f"{each}-")), key=len, default=stack)


def place_of(stack: str, environment: str, scope: Scope, models: Iterable[str]) -> Place:
    """What `stack` holds in its environment; ScopeError for a model that is not there or has no stack of its own."""
    if stack == environment:
        return Place(environment=environment)
    model, known = stack.removeprefix(f"{environment}-"), sorted(models)
    if model not in known:
        raise ScopeError(
            f"the stack {stack} is of no environment and of no model: there is no Pulumi.{stack}.yaml, and "
            f"{environment} has no model {model!r}; models are: {', '.join(known) or 'none'}. The stack of a model "
            f"whose folder is gone is removed with: pulumi destroy --stack {stack} "
            f"--config-file Pulumi.{environment}.yaml"
        )
    if scope == "stack":
        raise ScopeError(
            f"{stack} would be the stack of the model {model}, but Pulumi.{environment}.yaml declares everything in "
            f"one stack; apply {environment}, or give the models stacks of their own: drivetrain scope split "
            f"{environment}"
        )
    return Place(environment=environment, model=model)
