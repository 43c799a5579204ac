"""Where this machine gets its packages from, for the time of a build: read when needed, never kept in an image."""

import os
import shlex
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rehearsal.containers.engine import ContainerError

BUNDLE: Final = "/etc/ssl/certs/ca-certificates.crt"
"""Where Debian keeps the certificates it trusts, in the base image too."""
_VARIABLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")


@dataclass(frozen=True, kw_only=True)
class PackageSources:
    """The configuration of both installers, and the certificates this machine trusts."""

    pip: str
    uv: str
    certificates: Path | None

    def build_options(self, folder: Path) -> list[str]:
        """Options of `podman build`, with the secrets written to `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        words: list[str] = []
        for name, content in (("pip.conf", self.pip), ("uv.toml", self.uv)):
            (folder / name).write_text(content)
            words += ["--secret", f"id={name},src={folder / name}"]
        if self.certificates is not None:
            words += ["--volume", f"{self.certificates}:{BUNDLE}:ro"]
        return words


def package_sources() -> PackageSources:
    """Read from pip's configuration and uv's variables."""
    known = _pip_configuration()
    index = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL") or known.get("index-url", "")
    extra = known.get("extra-index-url", "").split()
    pip = [f"{name} = {value}" for name, value in (("index-url", index), ("extra-index-url", " ".join(extra))) if value]
    uv = [f'[[index]]\nurl = "{url}"' for url in extra]
    uv += [f'[[index]]\nurl = "{index}"\ndefault = true'] if index else []
    return PackageSources(
        pip="\n".join(["[global]", *pip]) + "\n",
        uv="\n".join(["system-certs = true", *uv]) + "\n",
        certificates=_certificates(),
    )


def uv_cache() -> Path | None:
    """The folder in which uv keeps what it has fetched; None when there is none."""
    try:
        folder = Path(run_uv("cache", "dir").strip())
    except ContainerError:
        return None
    return folder if folder.is_dir() else None


def run_uv(*arguments: str) -> str:
    """What `uv ARGUMENTS` prints: the one of this environment, else the one on PATH. ContainerError when it fails."""
    beside = Path(sys.executable).with_name("uv")
    try:
        done = subprocess.run(
            [str(beside) if beside.is_file() else "uv", *arguments], capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise ContainerError(f"uv cannot be run: {error.strerror}; `make local` installs it into .venv") from error
    if done.returncode != 0:
        raise ContainerError(f"uv {' '.join(arguments[:2])} failed: {done.stderr.strip()[-2000:]}")
    return done.stdout


def _pip_configuration() -> dict[str, str]:
    """pip's settings by their last name: `global.index-url` and `:env:.index-url` are both `index-url`."""
    words = [sys.executable, "-m", "pip", "config", "list"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    found: dict[str, str] = {}
    for line in done.stdout.splitlines():
        name, separator, value = line.partition("=")
        if separator:
            found[name.rpartition(".")[2]] = " ".join(shlex.split(value))
    return found


def _certificates() -> Path | None:
    named = [os.environ.get(name, "") for name in _VARIABLES]
    places = [*named, ssl.get_default_verify_paths().cafile or "", BUNDLE]
    return next((Path(place) for place in places if place and Path(place).is_file()), None)
