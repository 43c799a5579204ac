"""The bootstrap of an account: applied from a folder of this machine first, then from the bucket that it made.

Nothing exists in an empty account that could keep Pulumi's state, so the first run keeps it below `.local/` and moves
it once the bucket is there. Where a run was stopped is read from what is there, never from a note: a state in the
bucket is the truth; without one, the folder's is gone on with.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from delivery.errors import DeliveryError
from delivery.pulumi.backend import STACKS
from delivery.pulumi.command import PulumiStack, UpSummary
from infra.bootstrap.settings import PROJECT, SETTINGS_KEY, BootstrapSettings, IdentityProvider
from infra.bootstrap.trust_names import AUDIENCE, provider_arn

_PROVIDER_TYPE = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
_STACK_TYPE = "pulumi:pulumi:Stack"
_REPOSITORIES = "repositories"


class BootstrapError(DeliveryError):
    """The account cannot be bootstrapped as asked; the message says why, and what would be right."""


@dataclass(frozen=True, kw_only=True)
class Bootstrapped:
    """What a run did."""

    summary: UpSummary
    outputs: Mapping[str, Any]
    moved: bool
    """Whether the state came into its bucket just now."""


@dataclass(frozen=True, kw_only=True)
class Bootstrap:
    """One account and region: `folder` keeps what this machine must remember, `client` gives boto3 clients of it."""

    project_dir: Path
    settings: BootstrapSettings
    folder: Path
    environment: Mapping[str, str]
    client: Callable[[str], Any]
    say: Callable[[str], None] = field(default=lambda _line: None)

    @property
    def bucket(self) -> str:
        """The bucket of the state."""
        return self.settings.names("bootstrap").state_bucket

    def prepare(self, *, may_change_repository: bool) -> "Prepared":
        """Where the run begins, with everything refused that is to be refused: nothing of the account is changed."""
        kept = self._kept()
        stack = self._in_bucket() if kept else self._in_folder()
        if not kept:
            self._refuse_lost_state()
            stack.select_or_create("passphrase")
        state = stack.export()
        provider = self._identity_provider(state)
        if not may_change_repository:
            self._refuse_other_repository(_outputs(state))
        return Prepared(stack=stack, kept=kept, identity_provider=provider)

    def apply(self, prepared: "Prepared") -> Bootstrapped:
        """Bring the account to what is declared. PulumiError and what AWS refuses say what is wrong."""
        stack = prepared.stack
        self._configure(prepared.identity_provider, kept=prepared.kept)
        summary = stack.up()
        if not prepared.kept:
            stack = self._move(stack, prepared.identity_provider)
        return Bootstrapped(summary=summary, outputs=_outputs(stack.export()), moved=not prepared.kept)

    def _in_bucket(self) -> PulumiStack:
        return self._stack(f"s3://{self.bucket}?region={self.settings.region}&awssdk=v2")

    def _in_folder(self) -> PulumiStack:
        state = self.folder / "state"
        state.mkdir(parents=True, exist_ok=True)
        return self._stack(state.absolute().as_uri(), PULUMI_CONFIG_PASSPHRASE="")

    def _stack(self, url: str, **more: str) -> PulumiStack:
        environment = {**self.environment, "PULUMI_BACKEND_URL": url, **more}
        return PulumiStack(
            project_dir=self.project_dir / "bootstrap",
            name=self.settings.name,
            config_file=self._config_file,
            environment=environment,
        )

    @property
    def _config_file(self) -> Path:
        return self.folder / "Pulumi.yaml"

    def _configure(self, identity_provider: IdentityProvider, *, kept: bool) -> None:
        """Write the program's configuration: the account's stacks, as their own files describe them."""
        settings = self.settings.model_copy(update={"identity_provider": identity_provider})
        document: dict[str, Any] = {"config": {SETTINGS_KEY: settings.model_dump(mode="json")}}
        if kept:
            document = {"secretsprovider": self._secrets_provider, **document}
        self.folder.mkdir(parents=True, exist_ok=True)
        self._config_file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")

    @property
    def _secrets_provider(self) -> str:
        alias = self.settings.names("bootstrap").state_key_alias
        return f"awskms://alias/{alias}?region={self.settings.region}"

    def _kept(self) -> bool:
        """Whether the bucket holds the bootstrap's state."""
        if not self._bucket_exists():
            return False
        key = f"{STACKS}/{PROJECT}/{self.settings.name}.json"
        found = self.client("s3").list_objects_v2(Bucket=self.bucket, Prefix=key)
        there = key in [entry["Key"] for entry in found.get("Contents", [])]
        return there and bool(_resources(self._in_bucket().export()))

    def _bucket_exists(self) -> bool:
        names = [entry["Name"] for entry in self.client("s3").list_buckets()["Buckets"]]
        return self.bucket in names

    def _refuse_lost_state(self) -> None:
        if self._bucket_exists() and not any((self.folder / "state").rglob("*.json")):
            raise BootstrapError(
                f"the bucket {self.bucket} exists, and holds no state of the bootstrap that made it: a first run was "
                f"stopped on another machine or in another checkout, which still has it in {self.folder.name}. Run it "
                "there again; or empty and delete the bucket, then run it here"
            )

    def _identity_provider(self, state: Mapping[str, Any]) -> IdentityProvider:
        """`existing` for a provider of GitHub's that something else made: an account has one, which many may use."""
        arn, iam = provider_arn(self.settings.account_id), self.client("iam")
        found = [entry["Arn"] for entry in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
        if arn not in found or any(each["type"] == _PROVIDER_TYPE for each in _resources(state)):
            return "declared"
        audiences = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"]
        if AUDIENCE not in audiences:
            raise BootstrapError(
                f"the account's identity provider {arn} does not know the audience {AUDIENCE}; add it: aws iam "
                f"add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn {arn} --client-id {AUDIENCE}"
            )
        self.say("the account has an identity provider for GitHub, which is used as it is")
        return "existing"

    def _refuse_other_repository(self, outputs: Mapping[str, Any]) -> None:
        before: Mapping[str, list[str]] = outputs.get(_REPOSITORIES) or {}
        for stack in self.settings.stacks:
            trusted = before.get(stack.stack)
            wanted = stack.github.subject_names if stack.github else []
            if trusted and not set(trusted) <= set(wanted):
                names = self.settings.names(stack.stack)
                raise BootstrapError(
                    f"the stack {stack.stack} is deployed from {_told(trusted)}, and would be from {_told(wanted)}: "
                    f"the roles {names.deploy_role} and {names.preview_role} would trust {_told(wanted)} alone, and "
                    f"workflows of {_told(trusted)} would lose them at once. If that is meant, say --change-repository"
                )

    def _move(self, stack: PulumiStack, identity_provider: IdentityProvider) -> PulumiStack:
        """The state into its bucket, under its key; then the folder has done its part."""
        target = self._in_bucket()
        self._configure(identity_provider, kept=True)
        target.select_or_create(self._secrets_provider)
        document = stack.export()
        deployment = {key: value for key, value in document["deployment"].items() if key != "secrets_providers"}
        own: Mapping[str, Any] = target.export().get("deployment") or {}
        if "secrets_providers" in own:
            deployment["secrets_providers"] = own["secrets_providers"]
        target.restore({**document, "deployment": deployment})
        again = target.up()
        if again.changed:
            raise BootstrapError(f"the state that was moved to {self.bucket} declares something else; run it again")
        shutil.rmtree(self.folder / "state")
        return target


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A run that may begin: the stack where its state is, and whether that is the bucket already."""

    stack: PulumiStack
    kept: bool
    identity_provider: IdentityProvider


def _outputs(state: Mapping[str, Any]) -> Mapping[str, Any]:
    """The outputs of the stack whose state that is, none before it was ever applied."""
    roots = [each for each in _resources(state) if each["type"] == _STACK_TYPE]
    return roots[0].get("outputs") or {} if roots else {}


def _resources(state: Mapping[str, Any]) -> list[dict[str, Any]]:
    deployment: Mapping[str, Any] = state.get("deployment") or {}
    return list(deployment.get("resources") or [])


def _told(names: list[str]) -> str:
    return names[-1] if names else "no repository"
