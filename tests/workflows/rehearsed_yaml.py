"""Workflow files as data, and the two things that act does not do carried into the jobs' variables.

act knows no `environment:`, which decides what GitHub's OIDC token says, and no `permissions:`. Each job that runs
steps is told both, so that the stand-ins can be as strict as GitHub and AWS are. Nothing else of a workflow is changed.
"""

import json
from pathlib import Path
from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """YAML 1.2's booleans: `on` is a word."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(file: Path) -> dict[str, Any]:
    """The document."""
    return yaml.load(file.read_text(encoding="utf-8"), _Loader)


def files(root: Path) -> list[Path]:
    """Every workflow and every action of the repository."""
    github = root / ".github"
    return sorted([*(github / "workflows").glob("*.yml"), *(github / "actions").glob("*/action.yml")])


def steps(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Every step of a workflow or of a composite action."""
    if "runs" in document:
        return document["runs"]["steps"]
    return [step for job in document["jobs"].values() for step in job.get("steps", [])]


def used(root: Path) -> dict[str, str]:
    """`owner/name@ref` → `owner/name` for each action of others that anything here uses."""
    names = [step["uses"] for file in files(root) for step in steps(load(file)) if "uses" in step]
    return {name: name.partition("@")[0] for name in names if not name.startswith("./")}


def tell_jobs(root: Path) -> None:
    """Write the workflows anew, each job with its environment and permissions among its variables."""
    for file in sorted((root / ".github" / "workflows").glob("*.yml")):
        document = load(file)
        for job in document["jobs"].values():
            if "steps" in job:
                permissions = json.dumps(job.get("permissions", document.get("permissions", {})))
                told = {"REHEARSED_ENVIRONMENT": job.get("environment", ""), "REHEARSED_PERMISSIONS": permissions}
                job["env"] = {**job.get("env", {}), **told}
        file.write_text(yaml.safe_dump(document, sort_keys=False, width=1000), encoding="utf-8")
