"""How a command ends when it fails; the exit codes are those of `pkg/cmd/pulumi/cmd/exit_codes.go`."""

FAILED = 1
CONFIGURATION = 2
STACK_NOT_FOUND = 6
CHANGES_PROPOSED = 7


class CommandError(Exception):
    """Printed as `error: …`, then the command ends with `code`."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


def stack_not_found(name: str) -> CommandError:
    """The backend has no such stack."""
    return CommandError(f"no stack named '{name}' found", STACK_NOT_FOUND)
