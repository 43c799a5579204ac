"""What `drivetrain bootstrap` refuses before it asks AWS anything, and what it writes into a stack's file."""

from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from cli.bootstrap import bootstrap
from delivery.pulumi.stack_file import StackFileError, write_account, write_github
from delivery.stacks.bootstrap import BootstrapError
from infra.settings import GitHubSettings, SettingsError, load_settings


@pytest.mark.parametrize(
    ("run", "error", "said"),
    [
        (lambda: bootstrap("prod"), SettingsError, "did you mean 'production'"),
        (lambda: bootstrap("staging"), BootstrapError, "drivetrain bootstrap staging --repository ORG/REPO"),
        (lambda: bootstrap("local"), BootstrapError, "`drivetrain local up` bootstraps by itself"),
        (lambda: bootstrap("staging", repository="me"), typer.BadParameter, "'me' is no repository of GitHub's"),
        (lambda: bootstrap("staging", repository="me/*"), typer.BadParameter, "ORG/REPO is right"),
        (lambda: bootstrap("staging", account="12"), typer.BadParameter, "twelve digits are right"),
    ],
)
def test_what_cannot_be_bootstrapped_is_said(run: Callable[[], None], error: type[Exception], said: str) -> None:
    before = Path("Pulumi.staging.yaml").read_text()
    with pytest.raises(error) as raised:
        run()
    assert said in str(raised.value)
    assert Path("Pulumi.staging.yaml").read_text() == before


def test_account_and_repository_are_written_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.staging.yaml"
    before = "# ours\n" + Path("Pulumi.staging.yaml").read_text()
    file.write_text(before)
    write_account(tmp_path, "staging", "123456789012")
    write_github(tmp_path, "staging", GitHubSettings(repository="org/old"))
    numbered = GitHubSettings(repository="org/repo", owner_id=1, repository_id=2, pull_request_stacks=True)
    write_github(tmp_path, "staging", numbered)
    settings = load_settings(tmp_path, "staging")
    assert (settings.account_id, settings.github) == ("123456789012", numbered)
    lines = file.read_text().splitlines()
    added = [line for line in lines if line not in before.splitlines()]
    assert added == [
        '    account_id: "123456789012"',
        "    github:",
        "      repository: org/repo",
        "      owner_id: 1",
        "      repository_id: 2",
        "      pull_request_stacks: true",
    ]
    assert len(lines) == len(before.splitlines()) + 5


def test_a_file_that_is_written_otherwise_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text('config: {"drivetrain:settings": {account_id: "222222222222"}}\n')
    with pytest.raises(StackFileError, match="by hand"):
        write_account(tmp_path, "x", "123456789012")
    with pytest.raises(StackFileError, match="org/repo"):
        write_github(tmp_path, "x", GitHubSettings(repository="org/repo"))
    assert "222222222222" in file.read_text()


def test_a_file_that_would_not_be_right_stays_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    text = 'config:\n  drivetrain:settings:\n    account_id: "222222222222"\n'
    file.write_text(text)
    with pytest.raises(SettingsError, match="region"):
        write_account(tmp_path, "x", "123456789012")
    assert file.read_text() == text
    assert list(tmp_path.iterdir()) == [file]
