"""Running a workflow with act, on the host and without containers, and reading what came of it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.checkout import ROOT
from tests.workflows import rehearsed_yaml

FOLDER = Path(__file__).resolve().parent
TOOLS = ROOT / ".tools" / "bin"
PLATFORM = "ubuntu-24.04=-self-hosted"
_TIMEOUT_S = 900


def tool(name: str) -> str | None:
    """Where a tool that tests/install_packages installs is, or None."""
    return shutil.which(name, path=f"{TOOLS}{os.pathsep}{os.environ.get('PATH', '')}")


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run that has ended."""

    returncode: int
    text: str
    """The log as a person reads it: job, step and line."""
    jobs: Mapping[str, str]
    """The result of each job by its name."""

    @property
    def green(self) -> bool:
        return self.returncode == 0

    def result(self, job: str) -> str:
        """`success`, `failure`, or `skipped` for a job that never began."""
        return next((result for name, result in self.jobs.items() if name.endswith(job)), "skipped")


@dataclass(frozen=True, kw_only=True)
class Runner:
    """A machine that runs workflows: a clone whose HEAD is the commit, and the variables that every job has."""

    workdir: Path
    environment: Mapping[str, str]

    def start(
        self,
        event: str,
        payload: Mapping[str, Any],
        workflow: str,
        *,
        run_id: int,
        secrets: Mapping[str, str],
        variables: Mapping[str, str],
        extra: Mapping[str, str],
        matrix: Mapping[str, str],
    ) -> subprocess.Popen[str]:
        """Begin a run of one workflow."""
        act = tool("act")
        assert act is not None
        home = Path(tempfile.mkdtemp(prefix="run-", dir=self.workdir.parent))
        (home / "event.json").write_text(json.dumps(payload), encoding="utf-8")
        known = {
            **self.environment,
            "HOME": str(home),
            "GITHUB_RUN_ID": str(run_id),
            **extra,
        }
        command = [act, event, "--json", "--no-skip-checkout", "--pull=false", "--no-cache-server"]
        command += ["-P", PLATFORM, "-W", f".github/workflows/{workflow}.yml", "-e", str(home / "event.json")]
        command += ["--action-cache-path", str(home / "actions"), "--defaultbranch", "main"]
        for name, value in {"GITHUB_TOKEN": "job-token", **secrets}.items():
            command += ["-s", f"{name}={value}"]
        for name, value in matrix.items():
            command += ["--matrix", f"{name}:{value}"]
        for name, value in variables.items():
            command += ["--var", f"{name}={value}"]
        for name in ("GITHUB_REPOSITORY", "GITHUB_RUN_ID", "GITHUB_REF", "SHA_REF"):
            if name in known:
                command += ["--env", f"{name}={known[name]}"]
        for name, action in rehearsed_yaml.used(self.workdir).items():
            command += [
                "--local-repository",
                f"https://github.com/{name}={FOLDER / 'actions' / action.replace('/', '-')}",
            ]
        return subprocess.Popen(
            command,
            cwd=self.workdir,
            env=known,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def finished(process: subprocess.Popen[str]) -> Run:
    """Wait for the run and read its log."""
    output, _ = process.communicate(timeout=_TIMEOUT_S)
    lines: list[str] = []
    jobs: dict[str, str] = {}
    for raw in output.splitlines():
        entry = _entry(raw)
        told = str(entry.get("job", ""))
        name = (told.partition("/")[2] or told).strip()
        if "jobResult" in entry:
            jobs[name] = str(entry["jobResult"])
        message = str(entry.get("msg", raw)).rstrip("\n")
        if message.strip() and entry.get("level") != "debug" and "LocalRepositoryCache" not in message:
            lines.append(f"[{name}] {message}" if name else message)
    return Run(returncode=process.returncode, text="\n".join(lines), jobs=jobs)


def _entry(line: str) -> dict[str, Any]:
    try:
        found: Any = json.loads(line)
    except ValueError:
        return {}
    return found if hasattr(found, "get") else {}


def base_environment() -> dict[str, str]:
    """What a runner has: no credentials of any kind."""
    kept = ("PATH", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "REHEARSED_PYTHON": sys.executable,
        "REHEARSED_STANDINS": str(FOLDER / "standins"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "2",
        "NO_COLOR": "1",
    }
