"""An account's bootstrap, from the files of the stacks in it."""

from pathlib import Path

import pytest
import yaml

from infra.bootstrap.settings import bootstrap_settings, parse_bootstrap
from infra.settings import SETTINGS_KEY, GitHubSettings, SettingsError, load_settings

GITHUB = {"repository": "org/repo"}


def project(tmp_path: Path, **stacks: dict[str, object]) -> Path:
    dev = yaml.safe_load(Path("Pulumi.dev.yaml").read_text())["config"][SETTINGS_KEY]
    for stack, changes in stacks.items():
        document = {"config": {SETTINGS_KEY: {**dev, **changes}}}
        (tmp_path / f"Pulumi.{stack.replace('_', '-')}.yaml").write_text(yaml.safe_dump(document))
    return tmp_path


def test_an_account_is_bootstrapped_for_all_its_stacks_and_no_other(tmp_path: Path) -> None:
    folder = project(
        tmp_path,
        dev={"github": GITHUB, "protect": False},
        lab={"protect": False},
        staging={"account_id": "333333333333"},
        far={"region": "eu-central-1"},
    )
    settings = bootstrap_settings(folder, load_settings(folder, "dev"))
    assert settings.name == "222222222222-eu-west-1"
    assert [each.stack for each in settings.stacks] == ["dev", "lab"]
    assert [each.github for each in settings.stacks] == [GitHubSettings(repository="org/repo"), None]
    assert (settings.protect, settings.has_github) == (False, True)
    assert parse_bootstrap(settings.model_dump(mode="json")) == settings


def test_what_is_asked_goes_before_the_file(tmp_path: Path) -> None:
    folder = project(tmp_path, dev={})
    asked = load_settings(folder, "dev").model_copy(update={"account_id": "999999999999"})
    settings = bootstrap_settings(folder, asked)
    assert (settings.account_id, [each.stack for each in settings.stacks]) == ("999999999999", ["dev"])


def test_pull_requests_have_stacks_where_they_are_let(tmp_path: Path) -> None:
    folder = project(tmp_path, dev={"github": {**GITHUB, "pull_request_stacks": True}}, pr_12={"protect": False})
    settings = bootstrap_settings(folder, load_settings(folder, "dev"))
    assert [(each.stack, each.protect) for each in settings.stacks] == [("dev", True), ("pr", False)]
    assert settings.protect


@pytest.mark.parametrize(
    ("other", "said"),
    [("dev_two", r"Pulumi\.dev-two\.yaml: .* is named like what 'dev' may change"), ("pr", "pull requests")],
)
def test_names_that_reach_into_one_another_are_refused(tmp_path: Path, other: str, said: str) -> None:
    folder = project(tmp_path, **{"dev": {}, other: {}})
    with pytest.raises(SettingsError, match=said):
        bootstrap_settings(folder, load_settings(folder, "dev"))


def test_a_configuration_that_is_not_right_is_said() -> None:
    with pytest.raises(SettingsError, match=r"drivetrain-bootstrap:settings: account_id"):
        parse_bootstrap({"project": "drivetrain", "account_id": "1", "region": "eu-west-1", "stacks": []})


def test_a_repositorys_numbers_belong_together() -> None:
    with pytest.raises(ValueError, match="belong together"):
        GitHubSettings(repository="org/repo", owner_id=1)
    assert GitHubSettings(repository="org/repo", owner_id=1, repository_id=2).subject_names == [
        "org/repo",
        "org@1/repo@2",
    ]
