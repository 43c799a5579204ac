"""The base image: Debian with Python, made by mmdebstrap from this machine's own package sources, in half a minute.

No image registry is needed. `DRIVETRAIN_BASE_IMAGE` names another base, such as one of Python's own images, which
podman then pulls. A base needs Python 3.11 or later with its venv module, and the C++ runtime.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from rehearsal.containers.engine import ContainerError, Engine

BASE_VARIABLE = "DRIVETRAIN_BASE_IMAGE"
_PACKAGES = ("ca-certificates", "libstdc++6", "python3", "python3-venv")
_LEFT_OUT = ("/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*")
_FORGET_SOURCES = 'rm -rf "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/* "$1"/etc/apt/auth.conf.d/*'
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_FORMAT = "$(REPO_URI) $(CODENAME) $(COMPONENT) $(SIGNED_BY)"


def base_image(engine: Engine) -> str:
    """The id (`sha256:…`) of the base, made or pulled when it is not there. ContainerError says why it cannot be."""
    named = os.environ.get(BASE_VARIABLE)
    if named:
        if not engine.has_image(named):
            engine.call("pull", named)
        return str(engine.inspect(named)["Id"])
    name = f"localhost/drivetrain-base:{_recipe()}"
    if not engine.has_image(name):
        _make(engine, name)
    return str(engine.inspect(name)["Id"])


def _recipe() -> str:
    """Names what the base is made of, and its suite: another recipe makes another image."""
    words = [_suite(), _FORGET_SOURCES, *_PACKAGES, *_LEFT_OUT]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]


def _suite() -> str:
    release = Path("/etc/os-release")
    lines = release.read_text().splitlines() if release.is_file() else []
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    suite = values.get("VERSION_CODENAME", "").strip('"')
    if values.get("ID") != "debian" or not suite or shutil.which("mmdebstrap") is None:
        raise ContainerError(
            "the base image is made by Debian's mmdebstrap, which this machine does not have "
            f"(apt-get install mmdebstrap); elsewhere name one that can be pulled: {BASE_VARIABLE}=<image by digest>"
        )
    return suite


def _make(engine: Engine, name: str) -> None:
    # In memory where there is some: dpkg waits for the disk after every file.
    memory = Path("/dev/shm")  # noqa: S108 - mmdebstrap makes a folder of its own in it
    with tempfile.TemporaryDirectory(dir=engine.folder / "copies") as folder:
        archive = Path(folder) / "base.tar"
        done = subprocess.run(
            [
                "mmdebstrap",
                "--quiet",
                "--variant=essential",
                f"--include={','.join(_PACKAGES)}",
                "--dpkgopt=force-unsafe-io",
                *(f"--dpkgopt=path-exclude={path}" for path in _LEFT_OUT),
                f"--customize-hook={_FORGET_SOURCES}",
                _suite(),
                str(archive),
                "-",
            ],
            input=_sources(),
            env={**os.environ, "TMPDIR": str(memory if memory.is_dir() else engine.folder / "copies")},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ContainerError(f"the base image cannot be made: {done.stderr.strip()[-2000:]}")
        engine.call("import", "--quiet", "--change", f"ENV {_PATH}", str(archive), name)


def _sources() -> str:
    """apt's own sources of this suite, as apt itself tells them."""
    words = ["apt-get", "indextargets", "--format", _FORMAT, "Created-By: Packages", "Origin: Debian"]
    told = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    lines: list[str] = []
    for line in sorted(set(told.splitlines())):
        address, suite, component, *key = line.split()
        if suite.startswith(_suite()):
            signed = f"[signed-by={key[0]}] " if key and key[0].startswith("/") else ""
            lines.append(f"deb {signed}{address} {suite} {component}")
    if not lines:
        raise ContainerError("apt knows no source of Debian's packages here: run apt-get update, then try again")
    return "\n".join(lines) + "\n"
