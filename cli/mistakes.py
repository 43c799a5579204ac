"""What is a user's mistake: the errors whose message is all that the command line shows of them."""

from botocore.exceptions import BotoCoreError, ClientError

from cli.connection import NotConnectedError
from cli.ingest import NothingTakenError
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

USER_ERRORS = (
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


def message_of(error: Exception) -> str | None:
    """What to tell the user; None for an error of the program itself."""
    if isinstance(error, USER_ERRORS):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return None
