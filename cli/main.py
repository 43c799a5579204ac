"""`drivetrain`: the command line. Each command is a thin layer over the packages beside this one."""

import atexit
import gc
import os
import sys
from typing import NoReturn

import typer

from cli.later import later

_INTERRUPTED = 130
_RARELY = 200_000
_COMMANDS = {
    "data": "cli.data:data",
    "ingest": "cli.ingest:ingest",
    "train": "cli.train:train",
    "promote": "cli.promote:promote",
    "predict": "cli.predict:predict",
    "logs": "cli.logs:logs",
    "preview": "cli.preview:preview",
    "gate": "cli.gate:gate",
    "deploy": "cli.deploy:deploy",
    "verify": "cli.verify:verify",
    "smoke": "cli.acceptance:smoke",
    "acceptance": "cli.acceptance:acceptance",
    "drift": "cli.drift:drift",
    "bootstrap": "cli.bootstrap:bootstrap",
    "github-token": "cli.github_token:github_token",
    "wheels": "cli.wheels:wheels",
    "doctor": "cli.doctor:doctor",
    "affected": "cli.affected:affected",
    "cost": "cli.cost:cost",
    "hours": "cli.hours:hours",
    "report": "cli.report:report",
    "local": "cli.local:app",
    "releases": "cli.releases:app",
    "images": "cli.images:app",
    "ci": "cli.ci:app",
    "ephemeral": "cli.ephemeral:app",
    "lock": "cli.lock:app",
    "scope": "cli.scope:app",
}

app = typer.Typer(cls=later(_COMMANDS), no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def drivetrain() -> None:
    """From an S3 data lake to live model endpoints on AWS, and the same rehearsed on this machine."""


def main() -> None:
    """Run the command; a user's mistake is one message and exit code 1 (2 for usage), never a traceback."""
    # A command is over before the collector finds what its search is worth, of which the longest is at the very end.
    gc.set_threshold(_RARELY)
    atexit.register(gc.freeze)
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        from cli.mistakes import message_of  # noqa: PLC0415 - it imports what any command may raise

        message = message_of(error)
        if message is None:
            raise
        _refuse(message)


def _refuse(message: str) -> NoReturn:
    from cli.output import errors  # noqa: PLC0415 - what prints in colour

    errors.print(f"drivetrain: {message}", markup=False, style="red" if errors.is_terminal else None)
    sys.exit(1)
