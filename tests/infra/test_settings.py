"""The stacks' settings: what is read, and what a person is told when it is wrong."""

from dataclasses import replace
from pathlib import Path

import pytest

from infra.settings import SettingsError, load_settings, parse_settings

STACKS = ("local", "dev", "staging", "production")


def project_with(tmp_path: Path, text: str) -> Path:
    (tmp_path / "Pulumi.local.yaml").write_text(text)
    return tmp_path


def test_every_stack_has_an_account_of_its_own() -> None:
    stacks = [load_settings(Path(), stack) for stack in STACKS]
    assert [settings.stack for settings in stacks] == list(STACKS)
    assert len({settings.account_id for settings in stacks}) == 4


def test_only_the_rehearsal_may_lose_its_data() -> None:
    assert [load_settings(Path(), stack).protect for stack in STACKS] == [False, True, True, True]


def test_production_survives_the_loss_of_a_zone() -> None:
    production = load_settings(Path(), "production")
    assert production.endpoint.minimum_instances >= 2
    assert production.network.availability_zones >= 2


def test_names_come_from_the_settings() -> None:
    names = load_settings(Path(), "staging").names
    assert names.bucket("query-results") == "drivetrain-staging-333333333333-query-results"
    assert names.database("curated") == "drivetrain_staging_curated"
    assert (
        names.role_arn("auto-mpg-train")
        == "arn:aws:iam::333333333333:role/drivetrain/staging/drivetrain-staging-auto-mpg-train"
    )


def test_stacks_of_pull_requests_share_what_the_bootstrap_made() -> None:
    names = load_settings(Path(), "dev").names
    pull_request = replace(names, stack="pr-12")
    assert pull_request.role_path == "/drivetrain/pr-12/"
    assert pull_request.boundary == "drivetrain-pr-boundary"
    assert pull_request.deploy_role_arn == "arn:aws:iam::222222222222:role/drivetrain/drivetrain-pr-deploy"
    assert replace(names, stack="pr-x").deploy_role == "drivetrain-pr-x-deploy"


def test_the_bootstraps_roles_are_out_of_reach_of_the_stacks_own_path() -> None:
    names = load_settings(Path(), "dev").names
    assert names.deploy_role_arn == "arn:aws:iam::222222222222:role/drivetrain/drivetrain-dev-deploy"
    for arn in (names.deploy_role_arn, names.preview_role_arn):
        assert names.role_path not in arn


def test_an_unknown_stack_lists_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"there is no Pulumi\.stagin\.yaml; .*did you mean 'staging'"):
        load_settings(Path(), "stagin")


@pytest.mark.parametrize(("typed", "meant"), [("prod", "production"), ("stagin", "staging"), ("locla", "local")])
def test_an_unknown_stack_is_told_the_nearest_one(typed: str, meant: str) -> None:
    with pytest.raises(SettingsError, match=f"did you mean '{meant}'"):
        load_settings(Path(), typed)


@pytest.mark.parametrize("key", ["prediction_writers", "prediction_readers"])
def test_predictions_are_granted_within_the_account(key: str) -> None:
    document = load_settings(Path(), "dev").model_dump(exclude={"stack"})
    own, other = (f"arn:aws:iam::{account}:role/team/a" for account in (document["account_id"], "999999999999"))
    settings = parse_settings("dev", {**document, "lake": {key: [own]}}, "Pulumi.dev.yaml")
    assert getattr(settings.lake, key) == [own]
    with pytest.raises(SettingsError, match=rf"lake\.{key}: {other} is not of this stack's account 222222222222"):
        parse_settings("dev", {**document, "lake": {key: [other]}}, "Pulumi.dev.yaml")


@pytest.mark.parametrize("key", ["prediction_writers", "prediction_readers"])
def test_predictions_are_granted_to_none_of_the_stacks_own_roles(key: str) -> None:
    dev = load_settings(Path(), "dev")
    document, job = dev.model_dump(exclude={"stack"}), dev.names.role_arn("auto-mpg-ingest")
    with pytest.raises(SettingsError, match=rf"lake\.{key}: {job} is a role of this stack's own .*; name another"):
        parse_settings("dev", {**document, "lake": {key: [job]}}, "Pulumi.dev.yaml")
    neighbour = job.replace("/drivetrain/dev/", "/drivetrain/dev-team/")
    found = parse_settings("dev", {**document, "lake": {key: [neighbour]}}, "Pulumi.dev.yaml")
    assert getattr(found.lake, key) == [neighbour]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"protct": True}, r"Pulumi\.x\.yaml: drivetrain:settings: protct: unknown key"),
        ({"account_id": 111111111111}, r"account_id: Input should be a valid string"),
        ({"account_id": "1234"}, r"account_id: .*pattern.*found '1234'"),
        ({"protect": "yes"}, r"protect: Input should be a valid boolean \(found 'yes'\)"),
        ({"region": "Ireland"}, r"region: .*pattern.*found 'Ireland'"),
        ({"endpoint": {"mode": "lambda"}}, r"endpoint\.mode: Input should be 'serverless' or 'instance'"),
        (
            {"endpoint": {"mode": "instance", "minimum_instances": 0}},
            r"minimum_instances: .*greater than or equal to 1",
        ),
        ({"network": {"availability_zones": 1}}, r"network\.availability_zones: .*greater than or equal to 2"),
        ({"network": {"cidr": "8.8.0.0/16"}}, r"network\.cidr: must be a private /16"),
        ({"network": {"cidr": "172.99.0.0/16"}}, r"network\.cidr: must be a private /16"),
        ({"network": {"cidr": "10.0.0.0/8"}}, r"network\.cidr: must be a private /16"),
        ({"network": {"cidr": "10.300.0.0/16"}}, r"network\.cidr: no address range"),
        ({"network": {"cidr": "192.168.7.0/16"}}, r"network\.cidr: no address range.*host bits"),
        ({"region": "eu-nowhere-9"}, r"region: .*pattern.*found 'eu-nowhere-9'"),
        ({"github": {"repository": "drivetrain"}}, r"github\.repository: .*pattern.*found 'drivetrain'"),
        ({"github": {"repository": "org/*"}}, r"github\.repository: .*found 'org/\*'"),
        ({"github": {"repository": "-org/repo"}}, r"github\.repository: .*found '-org/repo'"),
        ({"github": {"repository": "org/repo/x"}}, r"github\.repository: .*found 'org/repo/x'"),
        ({"lake": {"prediction_writers": ["analyst"]}}, r"lake\.prediction_writers\.0: .*pattern.*found 'analyst'"),
        ({"lake": {"prediction_readers": ["arn:aws:iam::222222222222:role/*"]}}, r"prediction_readers\.0: .*pattern"),
        (
            {"lake": {"prediction_writers": ["arn:aws:iam::111111111111:role/a"] * 2}},
            r"lake\.prediction_writers: must not name a role twice",
        ),
        ({"tags": {"aws:owner": "me"}}, r"tags: the tag 'aws:owner' is set by the platform or reserved"),
        ({"tags": {"project": "mine"}}, r"tags: the tag 'project' is set by the platform"),
        ({"observability": {"log_retention_days": 8, "budget_usd_per_month": 1}}, r"log_retention_days: .*7, 14"),
    ],
)
def test_a_wrong_setting_names_its_key(change: dict[str, object], message: str) -> None:
    right = load_settings(Path(), "dev").model_dump(exclude={"stack"})
    with pytest.raises(SettingsError, match=message):
        parse_settings("x", {**right, **change}, "Pulumi.x.yaml")


def test_a_file_that_is_no_yaml_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"Pulumi\.local\.yaml: no valid YAML"):
        load_settings(project_with(tmp_path, "config: ["), "local")


@pytest.mark.parametrize("text", ["", "config: {}", "config:\n  drivetrain:settings: 3", "config:"])
def test_a_file_without_settings_is_said(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match=r"config\.drivetrain:settings is missing"):
        load_settings(project_with(tmp_path, text), "local")
