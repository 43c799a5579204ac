"""Which commit a stack was last deployed from: one small object in the stack's artifacts bucket.

A push says what came since the last push, not since the last deployment that worked: after a failed one, the next would
leave out what never arrived. And a run started again long after would put an old commit over a newer one.
"""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from delivery.workflows.workflow import WorkflowError


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """The last deployment of a stack that was proven."""

    commit: str
    run: str = ""
    """The address of the workflow's run."""


DEPLOYED_KEY = "deployments/proven.json"
"""Where the note lies in the artifacts bucket; bucket and note come with the first deployment."""


def read_deployed(s3: Any, bucket: str) -> Deployed | None:
    """The note, or None when the stack was never deployed by a workflow."""
    try:
        body = s3.get_object(Bucket=bucket, Key=DEPLOYED_KEY)["Body"].read()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("NoSuchKey", "NoSuchBucket", "404"):
            return None
        raise
    try:
        note = json.loads(body)
        return Deployed(commit=str(note["commit"]), run=str(note["run"]))
    except (ValueError, KeyError, TypeError) as error:
        raise WorkflowError(
            f"s3://{bucket}/{DEPLOYED_KEY} is no note of a deployment ({error}); delete it to start anew"
        ) from error


def note_deployed(s3: Any, bucket: str, deployed: Deployed) -> None:
    """Write the note."""
    body = json.dumps({"commit": deployed.commit, "run": deployed.run}, indent=2).encode()
    s3.put_object(Bucket=bucket, Key=DEPLOYED_KEY, Body=body, ContentType="application/json")


def commits_since(project_dir: Path, stack: str, deployed: Deployed | None) -> str:
    """The range of commits that this checkout brings to the stack, as git takes it.

    WorkflowError when the stack already holds a later commit, as when an old run is started again.
    """
    head = _git(project_dir, "rev-parse", "HEAD")
    if deployed is None or not _known(project_dir, deployed.commit):
        return f"{head}^!"
    if deployed.commit != head and _is_ancestor(project_dir, head, deployed.commit):
        raise WorkflowError(
            f"{stack} holds {deployed.commit[:12]}, which is later than {head[:12]} of this run: it would "
            "take back what came since. To do that on purpose, git revert and merge; else start the newest run again"
        )
    return f"{deployed.commit}..{head}"


def commit_id(project_dir: Path, name: str) -> str:
    """The full id of a commit."""
    return _git(project_dir, "rev-parse", "--verify", f"{name}^{{commit}}")


def _known(project_dir: Path, commit: str) -> bool:
    return _ran(project_dir, "cat-file", "-e", f"{commit}^{{commit}}").returncode == 0


def _is_ancestor(project_dir: Path, earlier: str, later: str) -> bool:
    return _ran(project_dir, "merge-base", "--is-ancestor", earlier, later).returncode == 0


def _git(project_dir: Path, *arguments: str) -> str:
    done = _ran(project_dir, *arguments)
    if done.returncode:
        raise WorkflowError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def _ran(project_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], cwd=project_dir, capture_output=True, text=True, check=False)
