"""Where a bootstrap begins and how it goes on: its state in a folder, in the bucket, or lost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from delivery.pulumi.command import UpSummary
from delivery.stacks import bootstrap
from delivery.stacks.bootstrap import Bootstrap, BootstrapError
from infra.bootstrap.settings import SETTINGS_KEY, BootstrappedStack, BootstrapSettings
from infra.bootstrap.trust_names import provider_arn
from infra.settings import GitHubSettings

ACCOUNT = "222222222222"
BUCKET = f"drivetrain-{ACCOUNT}-eu-west-1-pulumi-state"
KEY = f".pulumi/stacks/drivetrain-bootstrap/{ACCOUNT}-eu-west-1.json"
PROVIDER = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"


@dataclass
class Account:
    """An account as boto3 and the `pulumi` command see it: buckets, a provider, and states by backend."""

    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    bucket: bool = False
    audiences: list[str] | None = None
    calls: list[str] = field(default_factory=list)
    interrupt_at: str = ""

    def client(self, service: str) -> "Account":
        assert service in ("s3", "iam")
        return self

    def list_buckets(self) -> Any:
        return {"Buckets": [{"Name": BUCKET}] if self.bucket else []}

    def list_objects_v2(self, Bucket: str, Prefix: str) -> Any:
        assert (Bucket, Prefix) == (BUCKET, KEY)
        return {"Contents": [{"Key": KEY}]} if self.state("s3") is not None else {}

    def list_open_id_connect_providers(self) -> Any:
        return {"OpenIDConnectProviderList": [{"Arn": provider_arn(ACCOUNT)}] if self.audiences is not None else []}

    def get_open_id_connect_provider(self, OpenIDConnectProviderArn: str) -> Any:
        return {"ClientIDList": self.audiences}

    def state(self, scheme: str) -> dict[str, Any] | None:
        return next((state for url, state in self.states.items() if url.startswith(scheme)), None)


class Pulumi:
    """`PulumiStack` over an Account."""

    account: Account

    def __init__(self, *, environment: Mapping[str, str], config_file: Path, name: str, **_: Any) -> None:
        self.url, self.config = environment["PULUMI_BACKEND_URL"], config_file
        self.where = self.url.split(":")[0]

    def _called(self, what: str) -> None:
        self.account.calls.append(f"{what} {self.where}")
        if self.account.interrupt_at == f"{what} {self.where}":
            raise KeyboardInterrupt

    def select_or_create(self, secrets_provider: str) -> None:
        self._called("create")
        new = {
            "deployment": {"secrets_providers": {"type": secrets_provider.split(":", maxsplit=1)[0]}, "resources": []}
        }
        self.account.states.setdefault(self.url, new)

    def up(self) -> UpSummary:
        self._called("up")
        settings = yaml.safe_load(self.config.read_text())["config"][SETTINGS_KEY]
        github = GitHubSettings.model_validate(settings["stacks"][0]["github"])
        outputs = {"state_bucket": BUCKET, "repositories": {"dev": github.subject_names}}
        resources = [{"type": "pulumi:pulumi:Stack", "outputs": outputs}]
        if settings["identity_provider"] == "declared":
            resources.append({"type": PROVIDER})
            self.account.audiences = ["sts.amazonaws.com"]
        deployment = self.account.states[self.url]["deployment"]
        changed = deployment["resources"] != resources
        deployment["resources"] = resources
        self.account.bucket = True
        if self.where == "file":
            folder = Path(self.url.removeprefix("file://"))
            (folder / "state.json").write_text("{}")
        return UpSummary(changes={"create": 2} if changed else {"same": 2})

    def export(self) -> dict[str, Any]:
        return self.account.states.get(self.url, {})

    def restore(self, document: dict[str, Any]) -> None:
        self._called("restore")
        self.account.states[self.url] = document


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    found = Account()
    monkeypatch.setattr(Pulumi, "account", found, raising=False)
    monkeypatch.setattr(bootstrap, "PulumiStack", Pulumi)
    return found


def a_run(account: Account, folder: Path, github: GitHubSettings | None = None, *, change: bool = False) -> Any:
    stack = BootstrappedStack(stack="dev", protect=True, github=github or GitHubSettings(repository="org/repo"))
    settings = BootstrapSettings(project="drivetrain", account_id=ACCOUNT, region="eu-west-1", stacks=[stack])
    run = Bootstrap(
        project_dir=folder,
        settings=settings,
        folder=folder / ".local",
        environment={},
        client=account.client,
        say=account.calls.append,
    )
    return run.apply(run.prepare(may_change_repository=change))


def test_a_first_run_ends_with_its_state_in_the_bucket(account: Account, tmp_path: Path) -> None:
    done = a_run(account, tmp_path)
    assert done.moved
    assert account.calls == ["create file", "up file", "create s3", "restore s3", "up s3"]
    moved = account.state("s3")
    assert moved is not None
    assert moved["deployment"]["secrets_providers"] == {"type": "awskms"}
    assert [each["type"] for each in moved["deployment"]["resources"]] == ["pulumi:pulumi:Stack", PROVIDER]
    assert not (tmp_path / ".local" / "state").exists()
    account.calls.clear()
    again = a_run(account, tmp_path)
    assert (again.moved, again.summary.changed, account.calls) == (False, 0, ["up s3"])


@pytest.mark.parametrize("step", ["up file", "create s3", "restore s3"])
def test_a_run_that_was_stopped_is_gone_on_with(account: Account, tmp_path: Path, step: str) -> None:
    account.interrupt_at = step
    with pytest.raises(KeyboardInterrupt):
        a_run(account, tmp_path)
    account.interrupt_at = ""
    done = a_run(account, tmp_path)
    assert done.moved
    assert account.calls[-1] == "up s3"
    resources = (account.state("s3") or {})["deployment"]["resources"]
    assert [each["type"] for each in resources] == ["pulumi:pulumi:Stack", PROVIDER]


def test_a_state_left_on_another_machine_is_asked_for(account: Account, tmp_path: Path) -> None:
    account.bucket = True
    with pytest.raises(BootstrapError, match=f"the bucket {BUCKET} exists, and holds no state"):
        a_run(account, tmp_path)
    assert account.calls == []


def test_a_provider_that_something_else_made_is_used_as_it_is(account: Account, tmp_path: Path) -> None:
    account.audiences = ["sts.amazonaws.com", "other"]
    a_run(account, tmp_path)
    assert "the account has an identity provider for GitHub, which is used as it is" in account.calls
    resources = (account.state("s3") or {})["deployment"]["resources"]
    assert [each["type"] for each in resources] == ["pulumi:pulumi:Stack"]


def test_a_provider_for_others_only_is_told(account: Account, tmp_path: Path) -> None:
    account.audiences = ["other"]
    with pytest.raises(BootstrapError, match=r"does not know the audience sts\.amazonaws\.com; add it: aws iam"):
        a_run(account, tmp_path)


def test_another_repository_is_asked_about_and_numbers_are_not(account: Account, tmp_path: Path) -> None:
    a_run(account, tmp_path)
    other = GitHubSettings(repository="them/theirs")
    with pytest.raises(BootstrapError, match="is deployed from org/repo, and would be from them/theirs"):
        a_run(account, tmp_path, other)
    numbered = GitHubSettings(repository="org/repo", owner_id=1, repository_id=2)
    assert a_run(account, tmp_path, numbered).summary.changed
    assert a_run(account, tmp_path, other, change=True).summary.changed
