"""One container: how `podman run` starts it, as SageMaker's hosts do, and a little stricter.

The root is read-only, with /tmp in memory; the image's own user runs it, over folders of `/opt/ml` that belong to root
and that everybody may write to; with isolation it has no network but its own loopback.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from rehearsal.containers import training_packages
from rehearsal.containers.engine import LABEL, Engine

_PASSED_BY_NAME = "AWS_"
_ML = "/opt/ml"


@dataclass(frozen=True, kw_only=True)
class Box:
    """A container to run. `base` is the folder that it sees as `/opt/ml`."""

    name: str
    image: str
    """The image's id."""
    owner: str
    """The state folder of the rehearsal, by which its containers are found."""
    base: Path
    isolated: bool
    packages: str | None = None
    """The image's label of mounted packages."""
    entrypoint: tuple[str, ...] = ()
    """Instead of the image's own."""
    arguments: tuple[str, ...] = ()

    @property
    def pid_file(self) -> Path:
        """Where podman notes the process id of the container's first process."""
        return self.base.parent / "container.pid"


def run_words(engine: Engine, box: Box, variables: dict[str, str]) -> list[str]:
    """The command that runs the container in the foreground; who started it takes it away when it has ended.

    With --rm podman would, and where it is slow to look, the exit code is gone with the container: it is 127 then.
    Credentials are handed on by name, so that no list of processes shows them: the command needs `run_environment`.
    """
    return [
        *("podman", "run", "--replace", "--name", box.name, "--label", f"{LABEL}={box.owner}"),
        *("--log-driver", "none", "--pidfile", str(box.pid_file), "--no-healthcheck"),
        *("--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges"),
        *("--network", "none" if box.isolated else "host"),
        *("--volume", f"{box.base}:{_ML}"),
        *training_packages.mount_options(engine, box.packages),
        *(word for name, value in sorted(variables.items()) for word in ("--env", _told(name, value))),
        *(("--entrypoint", json.dumps(box.entrypoint)) if box.entrypoint else ()),
        *(box.image.removeprefix("sha256:"), *box.arguments),
    ]


def run_environment(engine: Engine, variables: dict[str, str]) -> dict[str, str]:
    """podman's own variables, and the values that `run_words` names only."""
    secrets = {name: value for name, value in variables.items() if name.startswith(_PASSED_BY_NAME)}
    return {**secrets, **engine.environment}


def open_to_all(base: Path) -> None:
    """Let the image's user write below `base`, as it may where nothing is mounted; the folders stay root's."""
    for folder in (base, *(path for path in base.rglob("*") if path.is_dir())):
        folder.chmod(0o777)


def _told(name: str, value: str) -> str:
    return name if name.startswith(_PASSED_BY_NAME) else f"{name}={value}"
