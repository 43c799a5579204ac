"""podman with a storage, a configuration and a runtime folder of its own: nothing of the machine's default is touched.

It works as root and without systemd: runc as the runtime, cgroups by the file system, events in a file.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LABEL = "drivetrain.rehearsal"
"""Every container of a rehearsal carries this label; its value is the rehearsal's state folder."""
_FOLDER_VARIABLE = "DRIVETRAIN_CONTAINERS"
_DEBIAN = "apt-get install --no-install-recommends podman runc mmdebstrap"
_LAST_LINES = 8

_CONTAINERS_CONF = """\
[containers]
netns = "host"
log_driver = "k8s-file"
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]

[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
events_logfile_path = "{folder}/events.log"
lock_type = "file"
tmp_dir = "{folder}/tmp"
image_copy_tmp_dir = "{folder}/copies"
"""
_STORAGE_CONF = """\
[storage]
driver = "overlay"
graphroot = "{folder}/storage"
runroot = "{folder}/run"
"""


class ContainerError(Exception):
    """An image or a container that cannot be made; the text says why and, where it can, what to do."""


def default_folder(project_dir: Path) -> Path:
    """Where images and containers are kept: `.tools/containers` of the checkout, or what DRIVETRAIN_CONTAINERS says."""
    return Path(os.environ.get(_FOLDER_VARIABLE) or project_dir / ".tools" / "containers").resolve()


def open_engine(folder: Path) -> "Engine":
    """The engine of that folder, configured. ContainerError where podman or a part of it is missing, or not as root."""
    missing = [program for program in ("podman", "runc", "conmon") if _found(program) is None]
    if missing:
        raise ContainerError(
            f"containers need {', '.join(missing)}, which this machine does not have; "
            f"on Debian or Ubuntu: {_DEBIAN}; without containers: drivetrain local up"
        )
    if os.geteuid() != 0:
        raise ContainerError("containers are rehearsed as root: run the command with sudo, or without --containers")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("copies", "tmp"):
        (folder / name).mkdir(exist_ok=True)
    for name, content in (("containers.conf", _CONTAINERS_CONF), ("storage.conf", _STORAGE_CONF)):
        text = content.format(folder=folder)
        if not (folder / name).is_file() or (folder / name).read_text() != text:
            (folder / name).write_text(text)
    return Engine(folder=folder)


@dataclass(frozen=True, kw_only=True)
class Engine:
    """podman over one folder."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which podman works on this folder."""
        kept = (
            "PATH",
            "HOME",
            "LANG",
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "NO_PROXY",
            "http_proxy",
            "https_proxy",
            "no_proxy",
        )
        return {
            **{name: os.environ[name] for name in kept if name in os.environ},
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
            "TMPDIR": str(self.folder / "copies"),
        }

    def call(self, *arguments: str, stdin: Path | None = None) -> str:
        """What `podman ARGUMENTS` prints. ContainerError with its last lines when it fails."""
        with contextlib.ExitStack() as stack:
            source: Any = stack.enter_context(stdin.open("rb")) if stdin else subprocess.DEVNULL
            done = subprocess.run(
                ["podman", *arguments], env=self.environment, stdin=source, capture_output=True, text=True, check=False
            )
        if done.returncode != 0:
            said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()][-_LAST_LINES:]
            raise ContainerError(f"podman {' '.join(arguments[:2])} failed: " + "\n".join(said))
        return done.stdout.strip()

    def has_image(self, name: str) -> bool:
        """Whether an image of that name or id is in the storage."""
        words = ["podman", "image", "exists", name]
        return subprocess.run(words, env=self.environment, capture_output=True, check=False).returncode == 0

    def inspect(self, image: str) -> dict[str, Any]:
        """What podman knows of an image. ContainerError when it is not there."""
        found: list[dict[str, Any]] = json.loads(self.call("image", "inspect", image))
        return found[0]

    def kept(self, image_id: str, digest: str) -> bytes:
        """The manifest or the configuration of an image, byte for byte, found by its digest (`sha256:…`).

        podman prints both only in its own words, and would copy every layer to write them out.
        """
        folder = self.folder / "storage" / "overlay-images" / image_id.removeprefix("sha256:")
        for file in folder.iterdir():
            content = file.read_bytes()
            if f"sha256:{hashlib.sha256(content).hexdigest()}" == digest:
                return content
        raise ContainerError(f"the storage in {self.folder} holds no {digest} of image {image_id}")

    def remove(self, *containers: str) -> None:
        """Remove containers, killing what runs; one that is not there is no error."""
        if containers:
            subprocess.run(
                ["podman", "rm", "--force", "--time", "0", "--ignore", *containers],
                env=self.environment,
                capture_output=True,
                check=False,
            )

    def remove_labelled(self, value: str) -> int:
        """Remove every container of the rehearsal whose state folder is `value`; returns how many there were."""
        found = self.labelled(value)
        self.remove(*found)
        return len(found)

    def labelled(self, value: str) -> Sequence[str]:
        """The ids of a rehearsal's containers, running or not."""
        return self.call("ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={LABEL}={value}").split()

    @contextlib.contextmanager
    def building(self, what: str) -> Generator[None]:
        """Two commands that build the same at once build it once: the second waits, and finds it."""
        with (self.folder / f"building-{what}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _found(program: str) -> str | None:
    return shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/lib/podman")
