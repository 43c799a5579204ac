"""A stack in its account, as one boto3 session sees it. A command on two stacks holds two of these side by side.

Nothing of the process' environment is changed: which credentials a stack is reached with is in its session alone, so
that those of one account cannot be used on the other by mistake.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import NoCredentialsError, ProfileNotFound

from delivery.aws_session import aws_session
from delivery.errors import DeliveryError
from delivery.releases.signing import SigningKey
from infra.names import Names
from infra.settings import Settings


class AccountError(DeliveryError):
    """The account of a stack cannot be reached with the credentials at hand; the message says with which it can."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """One stack: its settings, its release file, and the session that reaches its account."""

    settings: Settings
    releases_file: Path
    session: Any
    endpoint_url: str | None = None
    """None for AWS's own addresses, or what AWS_ENDPOINT_URL says."""
    _clients: dict[str, Any] = field(default_factory=dict[str, Any], repr=False, compare=False)

    @property
    def stack(self) -> str:
        """The name of the stack."""
        return self.settings.stack

    @property
    def names(self) -> Names:
        """The names of the stack."""
        return self.settings.names

    @property
    def origin(self) -> str:
        """The release file as messages name it."""
        return f"{self.releases_file.parent.name}/{self.releases_file.name}"

    @property
    def signing_key(self) -> SigningKey:
        """The key that signs the stack's releases and images."""
        return SigningKey(client=self.client("kms"), alias=self.names.signing_key_alias)

    def client(self, service: str) -> Any:
        """The boto3 client of the stack's account and region."""
        if service not in self._clients:
            config = Config(connect_timeout=5, read_timeout=120)
            self._clients[service] = self.session.client(service, endpoint_url=self.endpoint_url, config=config)
        return self._clients[service]


def open_account(settings: Settings, releases_file: Path, profile: str | None) -> Account:
    """The stack's account by the AWS profile, or by the environment's own credentials where none is named.

    AccountError unless the credentials are of the account that the stack's settings name.
    """
    try:
        session = aws_session(profile_name=profile, region_name=settings.region)
        account = Account(settings=settings, releases_file=releases_file, session=session)
        found = account.client("sts").get_caller_identity()["Account"]
    except ProfileNotFound as error:
        raise AccountError(f"there is no AWS profile {profile!r} for the stack {settings.stack}") from error
    except NoCredentialsError as error:
        raise AccountError(
            f"no AWS credentials for the stack {settings.stack} (account {settings.account_id}); get them by "
            "`aws configure sso`, in the environment, or name a profile"
        ) from error
    if found != settings.account_id:
        where = f"profile {profile!r}" if profile else "environment"
        raise AccountError(
            f"the credentials of the {where} are of account {found}, but Pulumi.{settings.stack}.yaml says that the "
            f"stack is in {settings.account_id}; name a profile of that account"
        )
    return account
