"""What a workflow asks of the checkout: which role and region a stack has, and whether all it was given is there.

Role, region and account stand in the stack's settings file and nowhere else, so that no variable on GitHub can differ
from what is in git.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from delivery.errors import DeliveryError
from infra.settings import Settings

Role = Literal["deploy", "preview", "promotion"]
_LOCK = Path("requirements") / "delivery.lock"
_UNREADY = ": not bootstrapped yet"


class WorkflowError(DeliveryError):
    """A workflow lacks something, or its run is not one that may go on; the message says what to do."""


def connection_outputs(settings: Settings, role: Role, project_dir: Path) -> dict[str, str]:
    """What a job needs to know to be the stack's role, as the outputs of a step."""
    names = settings.names
    return {
        "role": {
            "deploy": names.deploy_role_arn,
            "preview": names.preview_role_arn,
            "promotion": names.promotion_role_arn,
        }[role],
        "region": settings.region,
        "account": settings.account_id,
        "registry": names.registry,
        "pulumi-version": pulumi_version(project_dir),
        "bootstrapped": str(settings.github is not None).lower(),
        "pull-request-stacks": str(settings.github is not None and settings.github.pull_request_stacks).lower(),
    }


def unready_report(stack: str) -> str:
    """What a workflow says of a stack that has no account yet, in place of its own report, as Markdown."""
    return f"""\
### {stack}{_UNREADY}

Its settings name no repository, so that no workflow has a role there and nothing was done. To begin with it:
`drivetrain bootstrap {stack}`
"""


def is_unready(text: str) -> bool:
    """Whether a report says that the stack is not bootstrapped."""
    return text.partition("\n")[0].endswith(_UNREADY)


def pulumi_version(project_dir: Path) -> str:
    """The version of the Pulumi command line: that of the SDK in the lock, so that one change moves both."""
    for line in (project_dir / _LOCK).read_text(encoding="utf-8").splitlines():
        if line.startswith("pulumi=="):
            return line.removeprefix("pulumi==").split()[0]
    raise WorkflowError(f"{_LOCK}: pulumi is not in it; make it anew with: make lock")


def check_repository(settings: Settings, environment: Mapping[str, str]) -> None:
    """WorkflowError where the run is of another repository than the one that the stack's roles trust."""
    repository = environment.get("GITHUB_REPOSITORY", "")
    if settings.github is None or not repository or repository == settings.github.repository:
        return
    raise WorkflowError(
        f"Pulumi.{settings.stack}.yaml says that github.repository is {settings.github.repository}, but this run is of "
        f"{repository}: the stack's roles would refuse it. Put {repository} there, and apply it: drivetrain bootstrap "
        f"{settings.stack}"
    )


def missing_message(names: Sequence[str], environment: Mapping[str, str], purpose: str) -> str:
    """Which of the variables are empty, and where they are set; empty when none is."""
    missing = [name for name in names if not environment.get(name)]
    if not missing:
        return ""
    where = "; ".join(f"{name} is set under {_where(name)}" for name in missing)
    return f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing, needed {purpose}. {where}"


def _where(name: str) -> str:
    kind = "secrets" if name.endswith(("_KEY", "_TOKEN", "_SECRET")) else "variables"
    return f"Settings > Secrets and variables > Actions > {kind.title()}, or: gh {kind[:-1]} set {name}"


def write_summary(text: str, environment: Mapping[str, str] = os.environ) -> None:
    """Add Markdown to the run's summary page; nothing where there is none."""
    path = environment.get("GITHUB_STEP_SUMMARY")
    if path:
        with Path(path).open("a", encoding="utf-8") as summary:
            summary.write(text.rstrip() + "\n")


def run_url(environment: Mapping[str, str] = os.environ) -> str:
    """The address of the run; empty outside one."""
    keys = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    if not all(environment.get(key) for key in keys):
        return ""
    server, repository, run = (environment[key] for key in keys)
    return f"{server}/{repository}/actions/runs/{run}"


def failure_advice(stack: str, environment: Mapping[str, str]) -> str:
    """What to do when the deployment of a stack has failed, as Markdown."""
    behind = {"dev": "staging and production", "staging": "production"}.get(stack, "")
    untouched = f" **{behind.capitalize()} {'is' if behind == 'production' else 'are'} untouched.**" if behind else ""
    commit = environment.get("GITHUB_SHA", "")[:12]
    return f"""\
## {stack}: the deployment stopped here

The step above says why.{untouched}

| what it was | what to do |
| --- | --- |
| the change itself | `git revert {commit or "COMMIT"}` and merge: what ran before comes back; or merge a fix |
| the diff gate or a policy | add the line that the message asks for to a commit, or change less |
| a rollback by an alarm | the previous model still answers; the message names the alarm; revert the release |
| AWS, the network, a time limit | run the failed jobs again: what is applied already is left as it is |
| the state is locked | `drivetrain lock show {stack}`: who, since when; its owner: `drivetrain lock release {stack}`; \
when that run is gone, anybody: `--older-than 2h` with it |
"""
