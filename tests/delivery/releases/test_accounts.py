"""A stack is reached by credentials of its own account, whichever way they come."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from delivery.releases.accounts import AccountError, open_account
from infra.settings import Settings, load_settings
from infra.sources import project_directory

MOTO = "123456789012"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """No credentials but what a test writes into the file."""
    file = tmp_path / "credentials"
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with mock_aws(config={"core": {"mock_credentials": False}}):
        yield file


def settings(account_id: str) -> Settings:
    return load_settings(project_directory(), "dev").model_copy(update={"account_id": account_id})


def test_a_profile_is_taken_when_it_is_of_the_account(aws: Path) -> None:
    aws.write_text("[dev]\naws_access_key_id = a\naws_secret_access_key = b\n")
    account = open_account(settings(MOTO), Path("releases/dev.toml"), "dev")
    assert (account.stack, account.origin) == ("dev", "releases/dev.toml")
    assert account.client("s3") is account.client("s3")
    assert account.signing_key.key_id == "alias/drivetrain-dev-signing"


def test_credentials_of_another_account_are_refused(aws: Path) -> None:
    aws.write_text("[dev]\naws_access_key_id = a\naws_secret_access_key = b\n")
    with pytest.raises(AccountError, match=rf"profile 'dev' are of account {MOTO}, but Pulumi\.dev\.yaml .* 2{{12}}"):
        open_account(settings("2" * 12), Path("releases/dev.toml"), "dev")


def test_a_profile_that_is_not_there_is_named(aws: Path) -> None:
    with pytest.raises(AccountError, match="no AWS profile 'dev' for the stack dev"):
        open_account(settings(MOTO), Path("releases/dev.toml"), "dev")


def test_without_any_credentials_it_is_said_how_to_get_them(aws: Path) -> None:
    with pytest.raises(AccountError, match=rf"no AWS credentials for the stack dev \(account {MOTO}\)"):
        open_account(settings(MOTO), Path("releases/dev.toml"), None)
