"""`drivetrain`: the command line. Each command is a thin layer over the packages beside this one."""

import os
import sys
from typing import NoReturn

import typer
from botocore.exceptions import BotoCoreError, ClientError

from cli import (
    acceptance,
    affected,
    bootstrap,
    ci,
    cost,
    data,
    deploy,
    doctor,
    drift,
    ephemeral,
    gate,
    github_token,
    hours,
    images,
    ingest,
    local,
    lock,
    logs,
    predict,
    preview,
    promote,
    releases,
    report,
    scope,
    train,
    verify,
    wheels,
)
from cli.connection import NotConnectedError
from cli.ingest import NothingTakenError
from cli.output import errors
from cli.prediction import PredictionError
from delivery.errors import DeliveryError
from delivery.pulumi.backend import BackendError
from delivery.pulumi.command import PulumiError, PulumiMissingError
from delivery.pulumi.locks import LockError
from delivery.pulumi.preview import PreviewError
from delivery.stacks.changes import GitError
from infra.policies import ExemptionError
from infra.scope import ScopeError
from infra.settings import SettingsError
from lake.errors import LakeError
from models.release import ReleaseError
from models.spec import SpecError
from pipelines.executions import ExecutionError
from rehearsal.containers.engine import ContainerError
from rehearsal.engine import EngineError
from rehearsal.server import ServerError

_USER_ERRORS = (
    NotConnectedError,
    NothingTakenError,
    PredictionError,
    GitError,
    DeliveryError,
    BackendError,
    LockError,
    PreviewError,
    PulumiError,
    PulumiMissingError,
    ExemptionError,
    ScopeError,
    SettingsError,
    LakeError,
    ReleaseError,
    SpecError,
    ExecutionError,
    EngineError,
    ContainerError,
    ServerError,
    BotoCoreError,
    ClientError,
)
_INTERRUPTED = 130

app = typer.Typer(
    help="From an S3 data lake to live model endpoints on AWS, and the same rehearsed on this machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(local.app, name="local")
app.command("data")(data.data)
app.command("ingest")(ingest.ingest)
app.command("train")(train.train)
app.add_typer(releases.app, name="releases")
app.command("promote")(promote.promote)
app.add_typer(images.app, name="images")
app.command("predict")(predict.predict)
app.command("logs")(logs.logs)
app.command("preview")(preview.preview)
app.command("gate")(gate.gate)
app.command("deploy")(deploy.deploy)
app.command("verify")(verify.verify)
app.command("smoke")(acceptance.smoke)
app.command("acceptance")(acceptance.acceptance)
app.add_typer(ci.app, name="ci")
app.command("drift")(drift.drift)
app.add_typer(ephemeral.app, name="ephemeral")
app.command("bootstrap")(bootstrap.bootstrap)
app.command("github-token")(github_token.github_token)
app.command("wheels")(wheels.wheels)
app.command("doctor")(doctor.doctor)
app.command("affected")(affected.affected)
app.add_typer(lock.app, name="lock")
app.command("cost")(cost.cost)
app.command("hours")(hours.hours)
app.command("report")(report.report)
ci.app.command("report")(report.report)
app.add_typer(scope.app, name="scope")


def main() -> None:
    """Run the command; a user's mistake is one message and exit code 1 (2 for usage), never a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except _USER_ERRORS as error:
        _refuse(str(error))
    except OSError as error:
        if error.filename is None:
            raise
        _refuse(f"{error.filename}: {error.strerror}")


def _refuse(message: str) -> NoReturn:
    errors.print(f"drivetrain: {message}", markup=False, style="red" if errors.is_terminal else None)
    sys.exit(1)
