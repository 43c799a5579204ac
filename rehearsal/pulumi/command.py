"""The command: finds what to run, runs it, and ends as the real one ends."""

import os
import sys

from botocore.exceptions import BotoCoreError, ClientError

from delivery.pulumi.backend import BackendError
from rehearsal.engine import EngineError
from rehearsal.engine.checkpoint import PULUMI_VERSION
from rehearsal.engine.deletion import message_of
from rehearsal.pulumi import operations, stack_commands
from rehearsal.pulumi.arguments import Options, Run, parser_of
from rehearsal.pulumi.errors import FAILED, CommandError

_USER_ERRORS = (CommandError, EngineError, BackendError, BotoCoreError, ClientError)
_CANCELLED = 130


def version(options: Options) -> None:
    """The version whose behaviour is followed; what is simulated says so."""
    del options
    print(PULUMI_VERSION)
    print("rehearsal: this is the stand-in of rehearsal/pulumi, not the Pulumi CLI", file=sys.stderr)


COMMANDS: dict[str, Run] = {
    "version": version,
    "login": stack_commands.login,
    "whoami": stack_commands.whoami,
    "preview": operations.preview,
    "up": operations.up,
    "refresh": operations.refresh,
    "destroy": operations.destroy,
    "cancel": stack_commands.cancel,
    "stack init": stack_commands.init,
    "stack select": stack_commands.choose,
    "stack ls": stack_commands.ls,
    "stack rm": stack_commands.rm,
    "stack output": stack_commands.output,
    "stack export": stack_commands.export,
    "stack import": stack_commands.restore,
}


def main(arguments: list[str]) -> int:
    """Run the command and give its exit code."""
    options = parser_of(COMMANDS).parse_args(arguments)
    folder = getattr(options, "cwd", None)
    try:
        if folder:
            os.chdir(folder)
        options.run(options)
    except KeyboardInterrupt:
        print("error: update cancelled", file=sys.stderr)
        return _CANCELLED
    except CommandError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.code
    except _USER_ERRORS as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except Exception as error:  # the program's own, of which the real command shows the traceback too
        sys.excepthook(type(error), error, error.__traceback__)
        print(f"error: {message_of(error)}", file=sys.stderr)
        return FAILED
    return 0
