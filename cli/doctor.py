"""`drivetrain doctor`: what this machine lacks, for a rehearsal and for a deployment, and how to get it."""

import importlib.util
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import boto3
import psutil
import typer
from botocore.exceptions import BotoCoreError, ClientError

from cli.connection import DEFAULT_REHEARSAL, JsonOption, state_directory
from cli.output import console, print_json
from infra.model_folders import checked_models
from infra.settings import SettingsError, load_settings
from infra.sources import project_directory
from models.release import ReleaseError, load_releases
from models.spec import SpecError
from rehearsal import server
from rehearsal.containers.base_image import BASE_VARIABLE

_GIB = 1024**3
# Measured: everything together peaks below 3 GB. The 6 GB of the environment are there when this runs.
_MEMORY_GIB = 4
_DISK_GIB = 2
_LIBRARIES = ("pulumi", "pulumi_aws", "moto", "boto3", "pyiceberg", "torch", "onnxruntime", "vega_datasets")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at: `missing` stops a rehearsal, `note` only a deployment or a comfort."""

    subject: str
    state: Literal["ok", "note", "missing"]
    detail: str
    advice: str = ""


def doctor(as_json: JsonOption = False) -> None:
    """Check the machine, tools, credentials, ports and files; exit 1 when `make local` would fail."""
    project_dir = project_directory()
    checks: list[Callable[[], Iterator[Finding]]] = [
        _machine,
        _libraries,
        _tools,
        _containers,
        _loopback,
        lambda: _rehearsal(project_dir),
        lambda: _stacks(project_dir),
        lambda: _models(project_dir),
        _credentials,
    ]
    findings = [finding for check in checks for finding in check()]
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            _print(finding)
    raise typer.Exit(1 if any(finding.state == "missing" for finding in findings) else 0)


def _print(finding: Finding) -> None:
    style = {"ok": "green", "note": "yellow", "missing": "red"}[finding.state]
    mark = {"ok": "ok     ", "note": "note   ", "missing": "MISSING"}[finding.state]
    console.print(f"[{style}]{mark}[/{style}] {finding.subject}: ", end="")
    console.print(finding.detail + (f"; {finding.advice}" if finding.advice else ""), markup=False)


def _machine() -> Iterator[Finding]:
    version = sys.version_info
    found = f"{version.major}.{version.minor}.{version.micro}"
    good = version >= (3, 11)
    yield Finding(
        subject="Python",
        state="ok" if good else "missing",
        detail=found,
        advice="" if good else "install Python 3.11 or later, then: make PYTHON=python3.11 local",
    )
    memory = psutil.virtual_memory().total / _GIB
    yield Finding(
        subject="memory",
        state="ok" if memory >= _MEMORY_GIB else "missing",
        detail=f"{memory:.0f} GiB",
        advice="" if memory >= _MEMORY_GIB else f"a rehearsal needs {_MEMORY_GIB} GiB",
    )
    disk = shutil.disk_usage(project_directory()).free / _GIB
    yield Finding(
        subject="disk",
        state="ok" if disk >= _DISK_GIB else "missing",
        detail=f"{disk:.0f} GiB free",
        advice="" if disk >= _DISK_GIB else f"free {_DISK_GIB} GiB",
    )


def _libraries() -> Iterator[Finding]:
    missing = [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]
    yield Finding(
        subject="libraries",
        state="missing" if missing else "ok",
        detail=f"not installed: {', '.join(missing)}" if missing else "installed",
        advice="run: make local" if missing else "",
    )


def _tools() -> Iterator[Finding]:
    for tool, state, advice in (
        ("git", "missing", "install git; the commit is part of every model's lineage"),
        ("pulumi", "note", "only a deployment to AWS needs it: https://www.pulumi.com/docs/install/"),
        ("chromium", "note", "only the browser tests need it: tests/install_packages"),
    ):
        path = shutil.which(tool)
        if path:
            yield Finding(subject=tool, state="ok", detail=path)
        else:
            yield Finding(
                subject=tool, state="missing" if state == "missing" else "note", detail="not found", advice=advice
            )


def _containers() -> Iterator[Finding]:
    """What `drivetrain local up --containers` and `make test` need: everything else does without."""
    base = os.environ.get(BASE_VARIABLE)
    for program, elsewhere in (
        ("podman", ""),
        ("runc", ""),
        ("mmdebstrap", f"; on other systems than Debian name a base: {BASE_VARIABLE}=<image by digest>"),
    ):
        path = shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
        if path:
            yield Finding(subject=program, state="ok", detail=path)
        elif program == "mmdebstrap" and base:
            yield Finding(subject=program, state="ok", detail=f"not found, and not needed: the base is {base}")
        else:
            advice = f"only containers need it: tests/install_packages{elsewhere}"
            yield Finding(subject=program, state="note", detail="not found", advice=advice)
    if os.geteuid() == 0:
        yield Finding(subject="root", state="ok", detail="containers can be run")
    else:
        advice = (
            "only containers and slow tests need it: sudo .venv/bin/drivetrain local up --containers, sudo make test"
        )
        yield Finding(subject="root", state="note", detail="the user is not root", advice=advice)


def _loopback() -> Iterator[Finding]:
    try:
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
        yield Finding(subject="ports", state="ok", detail="127.0.0.1 can be listened on")
    except OSError as error:
        yield Finding(subject="ports", state="missing", detail=f"127.0.0.1: {error.strerror}", advice="allow loopback")


def _rehearsal(project_dir: Path) -> Iterator[Finding]:
    running = server.running(state_directory(project_dir, DEFAULT_REHEARSAL))
    detail = f"up at {running.endpoint_url}" if running else "not up"
    yield Finding(subject="rehearsal", state="ok", detail=detail, advice="" if running else "bring it up: make local")


def _stacks(project_dir: Path) -> Iterator[Finding]:
    for file in sorted(project_dir.glob("Pulumi.*.yaml")):
        stack = file.name.split(".")[1]
        try:
            settings = load_settings(project_dir, stack)
            releases = load_releases(project_dir / settings.releases / f"{stack}.toml")
        except (SettingsError, ReleaseError) as error:
            yield Finding(subject=f"stack {stack}", state="missing", detail=str(error), advice="correct the file")
        else:
            detail = f"account {settings.account_id}, {settings.region}, {len(releases)} releases"
            yield Finding(subject=f"stack {stack}", state="ok", detail=detail)


def _models(project_dir: Path) -> Iterator[Finding]:
    try:
        specs = checked_models(project_dir)
    except SpecError as error:
        yield Finding(subject="models", state="missing", detail=str(error), advice="correct the file")
    else:
        yield Finding(subject="models", state="ok", detail=", ".join(spec.name for spec in specs))


def _credentials() -> Iterator[Finding]:
    """Whether there are AWS credentials, not whether they work: nothing is called but the chain on this machine."""
    try:
        found = boto3.Session().get_credentials()
    except (BotoCoreError, ClientError) as error:
        found, detail = None, str(error)
    else:
        detail = f"found ({found.method})" if found else "none"
    advice = "" if found else "only a deployment to AWS needs them: aws configure sso"
    yield Finding(subject="AWS credentials", state="ok" if found else "note", detail=detail, advice=advice)
