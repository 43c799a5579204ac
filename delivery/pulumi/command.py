"""The `pulumi` command, as everything that deploys calls it.

Always without questions (`--non-interactive`), always with the stack named, never relying on the one selected: several
deploys may run beside one another. The command is found on PATH; backend and credentials come from the environment.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from delivery.errors import DeliveryError
from delivery.pulumi.events import UpEvents
from delivery.pulumi.preview import Preview, parse_preview

LOCKED = "the stack is currently locked by"
UNMADE = "no stack named"
_ALWAYS = {
    "PULUMI_SKIP_UPDATE_CHECK": "true",
    # The key of the secrets is in the state; without this, a fresh checkout would make another one.
    "PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER": "true",
}
_DIAGNOSIS_LINES = 40


class PulumiError(DeliveryError):
    """`pulumi` ended with an error; the message is its diagnosis."""

    def __init__(self, stack: str, command: list[str], diagnosis: str, code: int) -> None:
        super().__init__(f"pulumi {' '.join(command[:2])} of {stack} failed (exit {code}): {diagnosis}")
        self.stack, self.command, self.diagnosis, self.code = stack, tuple(command), diagnosis, code


class StackLockedError(PulumiError):
    """Another deploy holds the stack, or one was killed and left its lock."""


class StackUnmadeError(PulumiError):
    """The backend holds no such stack: it was never deployed."""


class PulumiMissingError(DeliveryError):
    """There is no `pulumi` on PATH."""

    def __init__(self) -> None:
        super().__init__(
            "there is no `pulumi` on PATH; install it (https://www.pulumi.com/docs/iac/download-install/) "
            "and see that a new shell finds it"
        )


@dataclass(frozen=True, kw_only=True)
class UpSummary:
    """What an `up` did: how many resources by operation (`create`, `update`, `same`, …), and what it warned of."""

    changes: dict[str, int] = field(default_factory=dict[str, int])
    warnings: tuple[str, ...] = ()

    @property
    def changed(self) -> int:
        """How many resources were not the same before and after."""
        return sum(count for operation, count in self.changes.items() if operation not in ("same", "read"))


@dataclass(frozen=True, kw_only=True)
class PulumiStack:
    """One stack of the project in `project_dir`; without `environment`, the process's own is handed on."""

    project_dir: Path
    name: str
    config_file: Path | None = None
    environment: Mapping[str, str] | None = None

    def select_or_create(self, secrets_provider: str | None = None) -> None:
        """Make the stack in the backend unless it is there."""
        extra = ["--secrets-provider", secrets_provider] if secrets_provider else []
        self._run(["stack", "select", "--create", *extra], config=False)

    def preview(self, *, refresh: bool = False, policy_pack: Path | None = None) -> Preview:
        """What `up` would do; raises PulumiError and PreviewError."""
        text = self.preview_json(refresh=refresh, policy_pack=policy_pack)
        return parse_preview(text, f"the preview of {self.name}")

    def preview_json(self, *, refresh: bool = False, policy_pack: Path | None = None) -> str:
        """The document itself, every resource included."""
        return self._run(["preview", "--json", "--show-sames", *_options(refresh=refresh, policy_pack=policy_pack)])

    def up(
        self,
        *,
        refresh: bool = False,
        policy_pack: Path | None = None,
        on_line: Callable[[str], None] | None = None,
    ) -> UpSummary:
        """Apply the program; `on_line` is told each resource as it is done. Raises PulumiError with every failure."""
        options = _options(refresh=refresh, policy_pack=policy_pack)
        command = ["up", "--yes", "--skip-preview", "--json", *options]
        events = UpEvents(on_line)
        self._run(command, each_line=events.take)
        return UpSummary(changes=events.changes, warnings=tuple(events.warnings))

    def refresh(self) -> None:
        """Bring the state to what AWS holds."""
        self._run(["refresh", "--yes", "--skip-preview"])

    def destroy(self) -> None:
        """Delete every resource of the stack."""
        self._run(["destroy", "--yes", "--skip-preview"])

    def remove(self) -> None:
        """Forget the stack, which must hold no resource."""
        self._run(["stack", "rm", "--yes", "--preserve-config"], config=False)

    def cancel(self) -> None:
        """Delete every lock on the stack: only for one whose holder is known to be gone (see locks.py)."""
        self._run(["cancel", "--yes"], config=False)

    def outputs(self) -> dict[str, Any]:
        """The outputs of the stack; a secret is `[secret]`."""
        return json.loads(self._run(["stack", "output", "--json"], config=False))

    def export(self) -> dict[str, Any]:
        """The state: `{"version": 3, "deployment": {…}}`; secrets stay encrypted."""
        return json.loads(self._run(["stack", "export"], config=False))

    def restore(self, deployment: Mapping[str, Any]) -> None:
        """Put such a document in place of the state."""
        self._run(["stack", "import"], stdin=json.dumps(deployment), config=False)

    def _run(
        self,
        command: list[str],
        *,
        stdin: str = "",
        each_line: Callable[[str], None] | None = None,
        config: bool = True,
    ) -> str:
        environment = {**(os.environ if self.environment is None else self.environment), **_ALWAYS}
        program = shutil.which("pulumi", path=environment.get("PATH"))
        if program is None:
            raise PulumiMissingError
        options = ["--stack", self.name, "--non-interactive", "--color", "never"]
        if config and self.config_file is not None:
            options += ["--config-file", str(self.config_file)]
        with tempfile.TemporaryFile("w+", encoding="utf-8") as errors:
            process = subprocess.Popen(
                [program, *command, *options],
                cwd=self.project_dir,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
            stdout = _followed(process, stdin, each_line)
            errors.seek(0)
            stderr = errors.read()
        if process.returncode:
            diagnosis = _diagnosis(stdout, stderr)
            raise _error_of(diagnosis)(self.name, command, diagnosis, process.returncode)
        return stdout


def _error_of(diagnosis: str) -> type[PulumiError]:
    if LOCKED in diagnosis:
        return StackLockedError
    return StackUnmadeError if UNMADE in diagnosis else PulumiError


def _options(*, refresh: bool, policy_pack: Path | None) -> list[str]:
    return [*(["--refresh"] if refresh else []), *(["--policy-pack", str(policy_pack)] if policy_pack else [])]


def _followed(process: subprocess.Popen[str], stdin: str, each_line: Callable[[str], None] | None) -> str:
    """All of stdout; Ctrl-C reaches `pulumi` too, which is waited for: it has a state to save and a lock to release."""
    try:
        if each_line is None:
            return process.communicate(stdin)[0]
        lines: list[str] = []
        for line in process.stdout or ():
            lines.append(line)
            each_line(line)
        process.wait()
        return "".join(lines)
    except BaseException:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        with suppress(KeyboardInterrupt):
            process.wait()
        raise
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def _diagnosis(stdout: str, stderr: str) -> str:
    """What went wrong: the error messages among the JSON on stdout, then what is on stderr."""
    told = [*_errors_in(stdout), *stderr.strip().splitlines()[-_DIAGNOSIS_LINES:]]
    kept = list(dict.fromkeys(line for line in told if line.strip()))
    return "\n".join(kept) or stdout.strip()[-2000:] or "it said nothing"


def _errors_in(stdout: str) -> list[str]:
    with suppress(ValueError):
        document: Any = json.loads(stdout)
        if isinstance(document, dict) and "diagnostics" in document:
            entries = cast("list[dict[str, Any]]", document["diagnostics"])
            return [str(entry.get("message", "")).strip() for entry in entries if entry.get("severity") == "error"]
    events = UpEvents(None)
    for line in stdout.splitlines():
        events.take(line)
    return events.errors
