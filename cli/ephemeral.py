"""`drivetrain ephemeral`: stacks of pull requests, made and removed for good."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import boto3
import typer
from botocore.exceptions import BotoCoreError, ClientError

from cli.deploy import POLICY_PACK
from cli.output import console
from delivery.endpoints.retirement import retire
from delivery.errors import DeliveryError
from delivery.pulumi.backend import backend_url, project_name, secrets_provider
from delivery.pulumi.command import PulumiStack
from delivery.stacks import ephemeral as stacks
from infra.settings import Settings, SettingsError, load_settings
from infra.sources import project_directory

app = typer.Typer(help="Stacks of pull requests, beside dev.", no_args_is_help=True)

NumberArgument = Annotated[int, typer.Argument(min=0, help="The number of the pull request.")]
AgeOption = Annotated[int, typer.Option("--days", min=0, help="Days without a deployment after which one is removed.")]


@app.command()
def settings(number: NumberArgument) -> None:
    """Write Pulumi.pr-<number>.yaml, derived from dev's settings."""
    found = stacks.write_settings(project_directory(), number)
    console.print(f"Pulumi.{found.stack}.yaml: account {found.account_id}, {found.region}, {found.network.cidr}")


@app.command()
def create(number: NumberArgument) -> None:
    """Apply the checkout to the stack of a pull request; again, it brings the stack to the checkout."""
    found = stacks.write_settings(project_directory(), number)
    stack = _stack(found)
    stack.select_or_create(secrets_provider(found))
    # The rules judge each resource; the gate asks what is lost, and in a stack that is thrown away nothing is.
    done = stack.up(
        policy_pack=project_directory() / POLICY_PACK,
        on_line=lambda line: console.print(f"    {line}", markup=False),
    )
    console.print(f"{found.stack}: {done.changed} changed; taken down with: drivetrain ephemeral remove {number}")


@app.command()
def remove(number: NumberArgument) -> None:
    """Delete everything in the stack of a pull request, and the stack; one that is not there is no error."""
    found = stacks.write_settings(project_directory(), number)
    _remove(found)


@app.command()
def expire(days: AgeOption = 7) -> None:
    """Remove every stack of a pull request that nothing was applied to for so long; one that fails keeps no other."""
    base = load_settings(project_directory(), stacks.BASE)
    session: Any = boto3.Session(region_name=base.region)
    present = stacks.found_stacks(session.client("s3"), base.names.state_bucket, project_name(project_directory()))
    old = stacks.expired(present, datetime.now(UTC), timedelta(days=days))
    failed: list[str] = []
    for each in old:
        try:
            _remove(stacks.write_settings(project_directory(), each.number))
        except (DeliveryError, SettingsError, BotoCoreError, ClientError) as error:
            failed.append(f"{each.name}: {error}")
    removed = len(old) - len(failed)
    console.print(f"{len(present)} there, {len(old)} older than {days} days, {removed} of them removed")
    if failed:
        raise DeliveryError("\n".join(["these are not removed:", *failed]))


def _remove(found: Settings) -> None:
    stack = _stack(found)
    stack.select_or_create(secrets_provider(found))
    stack.destroy()
    # Pulumi retains what an endpoint may have been rolled back to (docs/adr/0011).
    session: Any = boto3.Session(region_name=found.region)
    retire(session.client("sagemaker"), found.names, {"deployment": {"resources": []}})
    stack.remove()
    Path(project_directory(), f"Pulumi.{found.stack}.yaml").unlink()
    console.print(f"{found.stack} is removed")


def _stack(found: Settings) -> PulumiStack:
    environment = {**os.environ, "PULUMI_BACKEND_URL": backend_url(found)}
    return PulumiStack(project_dir=project_directory(), name=found.stack, environment=environment)
