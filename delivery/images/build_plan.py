"""Which images a workflow has to build, sign or leave: what `fromJSON` makes the matrix of jobs from."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from delivery.images.stack_images import PlannedImage, plan
from delivery.releases.accounts import Account
from infra.names import IMAGES
from infra.sources import git_commit

_SLSA_BUILD_TYPE = "https://actions.github.io/buildtypes/workflow/v1"


@dataclass(frozen=True, kw_only=True)
class BuildPlan:
    """The registry as the present sources find it."""

    registry_there: bool
    images: tuple[Mapping[str, str], ...] = ()
    """What is missing or not signed: name, repository, tag, commit, key, and the digest where it was pushed already."""

    @property
    def outputs(self) -> dict[str, str]:
        """As the outputs of a step."""
        return {
            "registry": "there" if self.registry_there else "missing",
            "missing": json.dumps(self.images, separators=(",", ":")),
        }


def build_plan(account: Account, project_dir: Path) -> BuildPlan:
    """What to build. The registry is missing until the stack was deployed for the first time."""
    if not all(_exists(account, account.names.repository(image)) for image in IMAGES):
        return BuildPlan(registry_there=False)
    wanted = [planned for planned in plan(account, project_dir) if planned.digest is None or not planned.signed]
    return BuildPlan(registry_there=True, images=tuple(_entry(planned, project_dir) for planned in wanted))


def provenance(repository: str, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """The SLSA provenance (v1) of what this run builds: from which commit, by which workflow, in which run."""
    server = environment["GITHUB_SERVER_URL"]
    source = f"git+{server}/{repository}@{environment['GITHUB_REF']}"
    return {
        "buildDefinition": {
            "buildType": _SLSA_BUILD_TYPE,
            "externalParameters": {
                "workflow": {
                    "repository": f"{server}/{repository}",
                    "ref": environment["GITHUB_REF"],
                    "path": environment.get("GITHUB_WORKFLOW_REF", environment["GITHUB_WORKFLOW"]),
                }
            },
            "resolvedDependencies": [{"uri": source, "digest": {"gitCommit": environment["GITHUB_SHA"]}}],
        },
        "runDetails": {
            "builder": {"id": f"{server}/actions/runner/github-hosted"},
            "metadata": {"invocationId": f"{server}/{repository}/actions/runs/{environment['GITHUB_RUN_ID']}"},
        },
    }


def _exists(account: Account, repository: str) -> bool:
    ecr = account.client("ecr")
    try:
        ecr.describe_images(repositoryName=repository, maxResults=1)
    except ecr.exceptions.RepositoryNotFoundException:
        return False
    return True


def _entry(planned: PlannedImage, project_dir: Path) -> dict[str, str]:
    return {
        "name": planned.image,
        "repository": f"{planned.registry}/{planned.repository}",
        "tag": planned.tag,
        "commit": git_commit(project_dir, planned.image),
        "key": planned.key,
        "digest": planned.digest or "",
    }
