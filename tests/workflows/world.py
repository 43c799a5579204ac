"""GitHub and AWS, rehearsed: a repository with its origin and a runner, and three accounts in one rehearsal.

What a merge does on GitHub happens here in the same order: the commit reaches the bare origin, the runner takes it, act
runs the workflow with the event that GitHub would send. Nobody here has credentials but by the roles of the bootstrap.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import yaml

from infra.bootstrap.settings import bootstrap_settings
from infra.settings import SETTINGS_KEY, Settings, load_settings
from rehearsal import engine
from rehearsal.server import Rehearsal
from tests.e2e.checkout import copy_checkout
from tests.workflows import act, rehearsed_yaml
from tests.workflows.act import Run, Runner

REPOSITORY = "example/drivetrain"
STACKS = ("dev", "staging", "production")
_IDENTITY = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com"} | {
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
}


@dataclass
class World:
    """The repository of a platform, and where it is deployed to."""

    folder: Path
    rehearsal: Rehearsal
    runs: int = 0
    merged: str = ""
    """The commit that was merged last and reached production."""
    logs: list[str] = field(default_factory=list[str])

    @property
    def checkout(self) -> Path:
        """What a person works in."""
        return self.folder / "checkout"

    @property
    def origin(self) -> Path:
        return self.folder / "origin.git"

    @property
    def state_of_github(self) -> dict[str, Any]:
        """Comments, issues and pull requests."""
        return json.loads((self.folder / "github.json").read_text())

    def settings(self, stack: str) -> Settings:
        return load_settings(self.checkout, stack)

    def client(self, stack: str, service: str) -> Any:
        """A client of the account's administrator, who looks on."""
        return self.session(stack).client(service, endpoint_url=self.rehearsal.endpoint_url)

    def session(self, stack: str) -> Any:
        environment = self.administrator(stack)
        return boto3.Session(
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            region_name=environment["AWS_REGION"],
        )

    def administrator(self, stack: str) -> dict[str, str]:
        settings = self.settings(stack)
        return self.rehearsal.environment(settings.account_id, settings.region)

    def bootstrap(self, stack: str) -> None:
        """What `drivetrain bootstrap` makes, made in this process: the command is tested where it is at home."""
        wanted = bootstrap_settings(self.checkout, self.settings(stack))
        engine.up(
            self.checkout / "bootstrap",
            wanted.name,
            self.folder / "bootstrap" / f"{stack}.json",
            environment=self.administrator(stack),
            settings_override=wanted.model_dump(mode="json"),
        )

    def drivetrain(self, stack: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command on the desk of somebody with the credentials of the stack's account."""
        environment = {**act.base_environment(), **self.administrator(stack), "PYTHONPATH": str(self.checkout)}
        environment |= {"PATH": f"{self.folder / 'tools'}{os.pathsep}{environment['PATH']}", "HOME": str(self.folder)}
        command = [sys.executable, "-m", "cli", *arguments]
        return subprocess.run(
            command, cwd=self.checkout, env=environment, capture_output=True, text=True, check=False, timeout=280
        )

    def git(self, *arguments: str, folder: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder or self.checkout,
            env={**os.environ, **_IDENTITY},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"git {arguments}: {done.stderr}"
        return done.stdout.strip()

    def commit(self, message: str, *, branch: str = "main") -> str:
        """Commit what is changed in the checkout and push it."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        self.git("push", "--quiet", "origin", f"HEAD:{branch}")
        return self.git("rev-parse", "HEAD")

    def merge(self, message: str = "a change", **more: Any) -> Run:
        """A commit on main, and the run of `deploy` that it sets off."""
        before = self.git("rev-parse", "HEAD")
        after = self.commit(message)
        return self.deploy(before, after, **more)

    def deploy(self, before: str, after: str, **more: Any) -> Run:
        """The run of `deploy` for a push."""
        payload = {"ref": "refs/heads/main", "before": before, "after": after, "deleted": False}
        return self.run("push", payload, "deploy", commit=after, **more)

    def run(self, event: str, payload: Mapping[str, Any], workflow: str, **more: Any) -> Run:
        """Run a workflow to its end."""
        with self.running(event, payload, workflow, **more) as process:
            run = act.finished(process)
        self.logs.append(run.text)
        return run

    @contextmanager
    def running(
        self,
        event: str,
        payload: Mapping[str, Any],
        workflow: str,
        *,
        commit: str | None = None,
        secrets: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        extra: Mapping[str, str] | None = None,
        matrix: Mapping[str, str] | None = None,
    ) -> Iterator[subprocess.Popen[str]]:
        """A run that is under way, on a runner of its own; ended at the latest with the block."""
        self.runs += 1
        home = self.folder / f"runner-{self.runs}"
        home.mkdir()
        commit = commit or self.git("rev-parse", "HEAD")
        self.git("clone", "--quiet", str(self.origin), str(home / "repository"), folder=home)
        self.git("checkout", "--quiet", commit, folder=home / "repository")
        rehearsed_yaml.tell_jobs(home / "repository")
        repository = {"full_name": REPOSITORY, "default_branch": "main"}
        process = Runner(workdir=home / "repository", environment=self._environment()).start(
            event,
            {"repository": repository, **payload},
            workflow,
            run_id=self.runs,
            secrets=secrets or {},
            variables=variables or {},
            extra={"SHA_REF": commit, **(extra or {})},
            matrix=matrix or {},
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            shutil.rmtree(home, ignore_errors=True)

    def _environment(self) -> dict[str, str]:
        base = act.base_environment()
        return {
            **base,
            "PATH": f"{self.folder / 'github'}{os.pathsep}{base['PATH']}",
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.folder / "wheels"),
            "AWS_ENDPOINT_URL": self.rehearsal.endpoint_url,
            "GITHUB_REPOSITORY": REPOSITORY,
            "REHEARSED_ORIGIN": str(self.origin),
            "REHEARSED_GITHUB": str(self.folder / "github.json"),
            "REHEARSED_ARTIFACTS": str(self.folder / "artifacts"),
            "REHEARSED_ATTESTATIONS": str(self.folder / "attestations"),
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.file://{self.origin}.insteadOf",
            "GIT_CONFIG_VALUE_0": f"https://github.com/{REPOSITORY}",
        }


def make_world(folder: Path, rehearsal: Rehearsal) -> World:
    """A repository with one commit on main, its origin, and the tools that a runner has."""
    world = World(folder=folder, rehearsal=rehearsal)
    copy_checkout(world.checkout)
    for stack in STACKS:
        _change_settings(world.checkout / f"Pulumi.{stack}.yaml", stack)
    _one_wheel(world.checkout / "requirements" / "lake.lock", folder / "wheels")
    (folder / "origin.git").mkdir()
    world.git("init", "--quiet", "--bare", "--initial-branch=main", folder=world.origin)
    world.git("init", "--quiet", "--initial-branch=main")
    world.git("remote", "add", "origin", str(world.origin))
    world.commit("The platform")
    empty: dict[str, Any] = {"comments": [], "issues": [], "pulls": [], "pull_request": 7, "first_number": 100}
    (folder / "github.json").write_text(json.dumps(empty))
    python, standins = sys.executable, act.FOLDER / "standins"
    _script(folder / "github" / "gh", f'exec "{python}" "{standins / "gh.py"}" "$@"')
    _script(folder / "tools" / "pulumi", f'exec "{python}" -m rehearsal.pulumi "$@"')
    return world


def _change_settings(file: Path, stack: str) -> None:
    document: Any = yaml.safe_load(file.read_text())
    github: dict[str, Any] = {"repository": REPOSITORY}
    if stack == "dev":
        github["pull_request_stacks"] = True
    document["config"][SETTINGS_KEY]["github"] = github
    document["config"][SETTINGS_KEY]["observability"]["log_retention_days"] = 365
    file.write_text(yaml.safe_dump(document, sort_keys=False))


def _one_wheel(lock: Path, folder: Path) -> None:
    """The lock of the Glue jobs with one library in it, which lies on this machine: no index is asked."""
    folder.mkdir()
    wheel = folder / "rehearsed-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("rehearsed.py", "")
        archive.writestr("rehearsed-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: rehearsed\nVersion: 1.0\n")
        archive.writestr("rehearsed-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("rehearsed-1.0.dist-info/RECORD", "")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock.write_text(f"rehearsed==1.0 --hash=sha256:{digest}\n")


def _script(path: Path, command: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)
