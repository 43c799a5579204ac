"""Commands whose modules are imported when they are asked for: no command waits for another's libraries."""

import importlib
from collections.abc import Mapping
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group


class LaterGroup(TyperGroup):
    """A group that finds its commands in modules; all of them only where all are shown, or one is mistyped."""

    where: ClassVar[Mapping[str, str]] = {}
    """`module:name` by command: a function, or the `Typer` of several."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - as Typer calls it
        """The names, in the order in which help shows them."""
        return list(dict.fromkeys([*self.commands, *self.where]))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name."""
        if cmd_name not in self.commands:
            # What is like a name that there is not, Typer looks for among the commands that are loaded.
            for name in [cmd_name] if cmd_name in self.where else self.where:
                self.commands.setdefault(name, _command(name, self.where[name]))
        return super().get_command(ctx, cmd_name)


def later(commands: Mapping[str, str]) -> type[LaterGroup]:
    """A group of those commands, as `cls` of a Typer."""
    return type("LaterCommands", (LaterGroup,), {"where": commands})


def _command(name: str, where: str) -> Any:
    module, _, attribute = where.partition(":")
    found: Any = getattr(importlib.import_module(module), attribute)
    if isinstance(found, typer.Typer):
        command: Any = get_group(found)
    else:
        alone = typer.Typer(add_completion=False)
        alone.command(name)(found)
        command = get_command(alone)
    command.name = name
    return command
