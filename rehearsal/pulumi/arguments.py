"""The arguments of `pulumi` that CD uses, with the names and short forms of the real command.

An option that is not here is refused (exit 2) and not ignored: a rehearsal that swallows an option would show nothing.
"""

import argparse
from collections.abc import Callable
from typing import Any

Options = argparse.Namespace
Run = Callable[[Options], None]


def parser_of(commands: dict[str, Run]) -> argparse.ArgumentParser:
    """The whole command; `commands` are what runs, by words such as `stack ls`."""
    parser = argparse.ArgumentParser(prog="pulumi", description="The pulumi command, rehearsed.")
    everywhere = _everywhere()
    _add_globals(parser)
    words = parser.add_subparsers(dest="word", required=True, metavar="COMMAND")
    below: dict[str, Any] = {}
    for name, run in commands.items():
        first, _, second = name.partition(" ")
        if second and first not in below:
            group = words.add_parser(first, parents=[everywhere])
            below[first] = group.add_subparsers(dest="second", required=True)
        place: Any = below[first] if second else words
        command = place.add_parser(second or first, parents=[everywhere])
        command.set_defaults(run=run)
        for add in _ARGUMENTS.get(name, ()):
            add(command)
    return parser


def _everywhere() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    _add_globals(parser)
    return parser


def _add_globals(parser: argparse.ArgumentParser) -> None:
    suppressed = argparse.SUPPRESS
    parser.add_argument("-C", "--cwd", default=suppressed)
    parser.add_argument("--non-interactive", action="store_true", default=suppressed)
    parser.add_argument("--color", choices=("always", "never", "raw", "auto"), default=suppressed)
    parser.add_argument("--logtostderr", action="store_true", default=suppressed)
    parser.add_argument("-v", "--verbose", type=int, default=suppressed)
    parser.add_argument("-e", "--emoji", action="store_true", default=suppressed)


Add = Callable[[argparse.ArgumentParser], object]


def _flag(*names: str) -> Add:
    return lambda parser: parser.add_argument(*names, action="store_true")


def _value(*names: str, default: str | None = None) -> Add:
    return lambda parser: parser.add_argument(*names, default=default)


def _word(name: str) -> Add:
    return lambda parser: parser.add_argument(name, nargs="?")


_STACK = _value("-s", "--stack")
_CONFIG = _value("--config-file")
_YES = _flag("-y", "--yes")
_JSON = _flag("-j", "--json")


def _refresh(parser: argparse.ArgumentParser) -> object:
    return parser.add_argument("-r", "--refresh", nargs="?", const="true", default="false", choices=("true", "false"))


def _packs(parser: argparse.ArgumentParser) -> object:
    return parser.add_argument("--policy-pack", action="append", default=[])


def _parallel(parser: argparse.ArgumentParser) -> object:
    return parser.add_argument("-p", "--parallel", type=int)


_SHOWN: tuple[Add, ...] = (
    _flag("--show-sames"),
    _flag("--show-replacement-steps"),
    _flag("--suppress-outputs"),
    _flag("--suppress-progress"),
    _flag("--diff"),
    _value("-m", "--message"),
    _parallel,
)
_OPERATION: tuple[Add, ...] = (_STACK, _CONFIG, _JSON, _flag("--expect-no-changes"), *_SHOWN)
_APPLY: tuple[Add, ...] = (_YES, _flag("-f", "--skip-preview"), *_OPERATION)
_ARGUMENTS: dict[str, tuple[Add, ...]] = {
    "login": (_word("url"), _flag("-l", "--local"), _value("-c", "--cloud-url")),
    "whoami": (),
    "preview": (*_OPERATION, _refresh, _packs),
    "up": (*_APPLY, _refresh, _packs),
    "refresh": _APPLY,
    "destroy": (*_APPLY, _refresh),
    "cancel": (_word("stack_name"), _YES, _STACK),
    "stack init": (_word("stack_name"), _STACK, _value("--secrets-provider", default="default"), _flag("--no-select")),
    "stack select": (
        _word("stack_name"),
        _STACK,
        _flag("-c", "--create"),
        _value("--secrets-provider", default="default"),
    ),
    "stack ls": (_JSON, _flag("-a", "--all")),
    "stack rm": (_word("stack_name"), _STACK, _YES, _flag("-f", "--force"), _flag("--preserve-config")),
    "stack output": (_word("property_name"), _STACK, _JSON, _flag("--show-secrets")),
    "stack export": (_STACK, _value("--file"), _flag("--show-secrets")),
    "stack import": (_STACK, _value("--file"), _flag("-f", "--force")),
}
