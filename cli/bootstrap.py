"""`drivetrain bootstrap`: what an account needs before anything is deployed to it, once."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from cli.connection import LOCAL_STACK, account_client, check_account
from cli.output import Stage, console, stage
from delivery.pulumi.stack_file import write_account, write_github
from delivery.stacks.bootstrap import Bootstrap, BootstrapError, Bootstrapped
from infra.bootstrap.settings import BootstrapSettings, bootstrap_settings
from infra.settings import REPOSITORY, GitHubSettings, Settings, load_settings
from infra.sources import project_directory

StackArgument = Annotated[str, typer.Argument(help="Which stack, as in Pulumi.<stack>.yaml.")]
RepositoryOption = Annotated[
    str,
    typer.Option("--repository", metavar="ORG/REPO", help="Whose workflows deploy it; written into the stack's file."),
]
AccountOption = Annotated[str, typer.Option("--account", help="The AWS account; written into the stack's file.")]
ChangeOption = Annotated[
    bool,
    typer.Option("--change-repository", help="Trust another repository than before, and no longer the one before."),
]


def bootstrap(
    stack: StackArgument,
    repository: RepositoryOption = "",
    account: AccountOption = "",
    change_repository: ChangeOption = False,
) -> None:
    """Make what an account needs for continuous delivery; again, it changes nothing."""
    project_dir = project_directory()
    if stack == LOCAL_STACK:
        raise BootstrapError("the stack local lives in a rehearsal, which `drivetrain local up` bootstraps by itself")
    before = load_settings(project_dir, stack)
    asked = _asked(before, repository, account)
    if asked.github is None:
        raise BootstrapError(
            f"Pulumi.{stack}.yaml names no repository, so nobody could deploy the stack; say whose workflows do: "
            f"drivetrain bootstrap {stack} --repository ORG/REPO"
        )
    check_account(asked)
    settings = bootstrap_settings(project_dir, asked)
    with stage(f"bootstrap account {settings.account_id} in {settings.region}") as step:
        run = _run(project_dir, asked, settings, step)
        prepared = run.prepare(may_change_repository=change_repository)
        _write(project_dir, before, asked, step)
        done = run.apply(prepared)
        step.outcome = _counted(done)
    _say(asked, settings, done)


def _asked(before: Settings, repository: str, account: str) -> Settings:
    """The stack's settings with what the options say."""
    if account and not re.fullmatch(r"\d{12}", account):
        raise typer.BadParameter(f"{account!r} is no account: twelve digits are right", param_hint="--account")
    if repository and not re.fullmatch(REPOSITORY, repository):
        raise typer.BadParameter(
            f"{repository!r} is no repository of GitHub's: ORG/REPO is right", param_hint="--repository"
        )
    github = before.github
    if repository and (github is None or github.repository != repository):
        github = _known_to_github(repository, github)
    return before.model_copy(update={"account_id": account or before.account_id, "github": github})


def _write(project_dir: Path, before: Settings, asked: Settings, step: Stage) -> None:
    """What the options said into the stack's file, once nothing stands against it."""
    if asked.account_id != before.account_id:
        write_account(project_dir, asked.stack, asked.account_id)
        step.note(f"Pulumi.{asked.stack}.yaml: account_id is {asked.account_id}")
    if asked.github is not None and asked.github != before.github:
        write_github(project_dir, asked.stack, asked.github)
        step.note(f"Pulumi.{asked.stack}.yaml: github.repository is {asked.github.repository}")


def _known_to_github(repository: str, before: GitHubSettings | None) -> GitHubSettings:
    """The repository with the numbers that GitHub knows it by, if `gh` is here and may see it."""
    opened = before.pull_request_stacks if before else False
    plain = GitHubSettings(repository=repository, pull_request_stacks=opened)
    if shutil.which("gh") is None:
        return plain
    asked = ["gh", "api", f"repos/{repository}", "--jq", "{owner: .owner.id, repository: .id}"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    try:
        numbers = json.loads(done.stdout)
        return plain.model_copy(update={"owner_id": numbers["owner"], "repository_id": numbers["repository"]})
    except (ValueError, KeyError, TypeError):
        return plain


def _run(project_dir: Path, asked: Settings, settings: BootstrapSettings, step: Stage) -> Bootstrap:
    return Bootstrap(
        project_dir=project_dir,
        settings=settings,
        folder=project_dir / ".local" / "bootstrap" / settings.name,
        environment=os.environ,
        client=lambda service: account_client(asked.region, service),
        say=step.note,
    )


def _counted(done: Bootstrapped) -> str:
    changes = sorted(done.summary.changes.items())
    counted = [f"{count} {operation}d" for operation, count in changes if operation not in ("same", "read")]
    return ", ".join(counted) if done.summary.changed else "nothing was changed"


def _say(stack: Settings, settings: BootstrapSettings, done: Bootstrapped) -> None:
    lines: list[tuple[str, str]] = [
        ("state", f"s3://{done.outputs['state_bucket']}" + (" (moved there from this machine)" if done.moved else "")),
    ]
    for each in settings.stacks:
        trusted = each.github.subject_names[-1] if each.github else f"account {settings.account_id}"
        lines += [
            (f"{each.stack}: deploys", f"{done.outputs['deploy_roles'][each.stack]}"),
            ("  for", f"{trusted}, environment {each.stack}" if each.github else trusted),
            (f"{each.stack}: previews", f"{done.outputs['preview_roles'][each.stack]}"),
            (f"{each.stack}: signs with", f"alias/{settings.names(each.stack).signing_key_alias}"),
        ]
    width = max(len(title) for title, _ in lines)
    for title, text in lines:
        console.print(f"  {title:<{width}}  {text}", markup=False)
    if stack.github and stack.github.owner_id is None:
        console.print(
            "  A repository made or renamed since July 2026 is known to AWS by its numbers: write owner_id and "
            f"repository_id below github in Pulumi.{stack.stack}.yaml\n"
            f"  (gh api repos/{stack.github.repository} --jq '.owner.id, .id'), and run this again.",
            markup=False,
        )
    console.print(f"next: commit Pulumi.{stack.stack}.yaml; a merge to main deploys it", markup=False)
