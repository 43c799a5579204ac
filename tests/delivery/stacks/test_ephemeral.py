"""Stacks of pull requests: their settings come from dev's, they are found in the state, and they grow old."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from delivery.stacks.ephemeral import FoundStack, expired, found_stacks, write_settings
from infra.settings import SETTINGS_KEY, SettingsError
from infra.sources import project_directory

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.dev.yaml").write_text((project_directory() / "Pulumi.dev.yaml").read_text())
    return tmp_path


def test_the_settings_are_devs_with_nothing_protected(project: Path) -> None:
    found = write_settings(project, 12)
    assert (found.stack, found.protect, found.ephemeral) == ("pr-12", False, True)
    assert found.account_id == "222222222222"
    assert found.names.deploy_role == "drivetrain-pr-deploy"


def test_who_predicts_in_batches_in_dev_is_granted_nothing_by_a_request(project: Path) -> None:
    file = project / "Pulumi.dev.yaml"
    document = yaml.safe_load(file.read_text())
    role = "arn:aws:iam::222222222222:role/team/nightly"
    lake = {"capture_days": 30, "prediction_writers": [role], "prediction_readers": [role]}
    document["config"][SETTINGS_KEY]["lake"] = lake
    file.write_text(yaml.safe_dump(document))
    found = write_settings(project, 12).lake
    assert (found.prediction_writers, found.prediction_readers, found.capture_days) == ([], [], 30)


def test_two_requests_beside_each_other_have_networks_of_their_own(project: Path) -> None:
    assert write_settings(project, 12).network.cidr != write_settings(project, 13).network.cidr


def test_a_setting_of_dev_that_is_wrong_is_named(project: Path) -> None:
    (project / "Pulumi.dev.yaml").write_text("config:\n  drivetrain:settings:\n    region: nowhere\n")
    with pytest.raises(SettingsError, match=r"Pulumi\.dev\.yaml"):
        write_settings(project, 12)


def test_a_number_that_is_none_is_refused(project: Path) -> None:
    with pytest.raises(SettingsError, match="-1 is no number of a pull request"):
        write_settings(project, -1)


class Pages:
    """A bucket's list."""

    def __init__(self, *keys: str) -> None:
        self._keys = keys

    def get_paginator(self, _: str) -> "Pages":
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:
        found = [{"Key": key, "LastModified": NOW} for key in self._keys if key.startswith(Prefix)]
        return [{"Contents": found}, {}]


def test_only_stacks_of_pull_requests_are_found() -> None:
    folder = ".pulumi/stacks/drivetrain"
    keys = [f"{folder}/{name}" for name in ("dev.json", "pr-12.json", "pr-12.json.bak", "pr-x.json", "pr-7.json")]
    assert [stack.number for stack in found_stacks(Pages(*keys), "state", "drivetrain")] == [12, 7]


def test_a_stack_that_nothing_was_applied_to_for_long_is_old() -> None:
    old = FoundStack(name="pr-1", changed=NOW - timedelta(days=8))
    young = FoundStack(name="pr-2", changed=NOW - timedelta(days=6))
    assert expired([old, young], NOW, timedelta(days=7)) == [old]
