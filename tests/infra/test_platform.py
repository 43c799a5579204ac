"""The whole program, for every stack."""

import datetime
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

from infra.platform import declare
from infra.policies import Resource, evaluate, load_exemptions
from infra.settings import load_settings
from infra.sources import project_directory

STACKS = ("local", "dev", "staging", "production")
DATA = {"aws:s3/bucket:Bucket", "aws:kms/key:Key", "aws:ecr/repository:Repository"}


def test_every_resource_hangs_on_a_component_and_uses_the_one_provider(program: Any) -> None:
    (provider,) = program.of("pulumi:providers:aws")
    for resource in program.resources:
        if resource.custom and resource is not provider:
            assert "drivetrain:" in resource.parent, f"{resource.type} {resource.name} has no parent"
            assert resource.provider.split("::")[-2:] == ["aws", "aws-id"], f"{resource.type} {resource.name}"


def test_the_provider_refuses_other_accounts_and_tags_everything(
    declared: Callable[[str], Any], project_dir: Path
) -> None:
    for stack in ("dev", "production"):
        settings = load_settings(project_dir, stack)
        (provider,) = declared(stack).of("pulumi:providers:aws")
        assert provider.inputs["region"] == settings.region
        # A provider's own properties travel as JSON text.
        assert settings.account_id in provider.inputs["allowedAccountIds"]
        for key, value in settings.default_tags.items():
            assert f'"{key}"' in provider.inputs["defaultTags"]
            assert f'"{value}"' in provider.inputs["defaultTags"]


def test_github_is_told_nothing_without_a_repository(program: Any) -> None:
    assert program.of("aws:cloudwatch/eventConnection:EventConnection") == []
    assert [each.name for each in program.resources if "release-proposed" in each.name] == []


def test_names_are_declared_once(program: Any) -> None:
    urns = Counter((each.type, each.name, each.parent) for each in program.resources)
    assert [key for key, count in urns.items() if count > 1] == []


def test_data_and_keys_are_protected_outside_local(program: Any, project_dir: Path) -> None:
    (provider,) = program.of("pulumi:providers:aws")
    local = "111111111111" in provider.inputs["allowedAccountIds"]
    held = [resource for resource in program.resources if resource.type in DATA]
    assert len(held) == 6 + 3 + 2
    assert {resource.protect for resource in held} == {not local}
    for resource in held:
        assert resource.inputs.get("forceDestroy", local) is local
        assert resource.inputs.get("forceDelete", local) is local
    assert not any(resource.protect for resource in program.resources) or not local


def test_no_allowed_action_is_a_wildcard(program: Any) -> None:
    statements = list(program.statements())
    assert len(statements) > 30
    for resource, each in statements:
        if each["Effect"] == "Allow":
            assert not [action for action in each["Action"] if "*" in action], f"{resource.name} {each['Sid']}"


# Actions that name no resource, in AWS's own service authorization reference.
NO_RESOURCE = {
    "cloudwatch:PutMetricData",
    "ecr:GetAuthorizationToken",
    "glue:GetSecurityConfiguration",
    "lakeformation:GetDataAccess",
    *(f"xray:{name}" for name in ("GetSamplingRules", "GetSamplingTargets", "PutTelemetryRecords", "PutTraceSegments")),
    *(f"logs:{verb}LogDelivery" for verb in ("Create", "Delete", "Get", "Update")),
    *(f"logs:{name}" for name in ("DescribeLogGroups", "DescribeResourcePolicies", "ListLogDeliveries")),
    "logs:PutResourcePolicy",
}


def test_any_resource_stands_only_where_aws_has_no_other_way(program: Any) -> None:
    # Their policies stand on the resource itself, or bound the account and the action.
    on_resources = {"aws:kms/key:Key", "aws:ec2/vpcEndpoint:VpcEndpoint"}
    anywhere = [
        (resource.name, action)
        for resource, each in program.statements()
        if each.get("Resource") in ("*", ["*"]) and resource.type not in on_resources
        for action in each["Action"]
    ]
    assert anywhere
    assert [pair for pair in anywhere if pair[1] not in NO_RESOURCE and not pair[1].startswith("ec2:Describe")] == []


def test_roles_are_passed_to_one_service(program: Any) -> None:
    for resource, each in program.statements():
        if "iam:PassRole" in each["Action"]:
            assert each["Condition"]["StringEquals"]["iam:PassedToService"], f"{resource.name}"
            assert "*" not in str(each["Resource"]), f"{resource.name}"


def test_roles_trust_services_for_this_account_only(program: Any, project_dir: Path) -> None:
    roles = program.of("aws:iam/role:Role")
    assert len(roles) >= 2
    for role in roles:
        for each in role.policy("assumeRolePolicy")["Statement"]:
            assert set(each["Principal"]) == {"Service"}, role.name
            account = each["Condition"]["StringEquals"]["aws:SourceAccount"]
            assert account in {load_settings(project_dir, stack).account_id for stack in STACKS}, role.name


def test_alarms_say_what_missing_data_means(program: Any) -> None:
    alarms = program.of("aws:cloudwatch/metricAlarm:MetricAlarm")
    assert alarms
    for alarm in alarms:
        assert alarm.inputs["treatMissingData"] in {"notBreaching", "breaching", "ignore", "missing"}, alarm.name
        assert alarm.inputs["alarmDescription"], alarm.name


def test_every_log_group_ends_and_is_encrypted(program: Any) -> None:
    groups = program.of("aws:cloudwatch/logGroup:LogGroup")
    assert len(groups) >= 5
    for group in groups:
        assert group.inputs["retentionInDays"] > 0, group.name
        assert group.inputs["kmsKeyId"] == "arn:aws:made-up:::logs", group.name


def test_no_deprecated_type_or_argument(run_program: Callable[..., Any], config: Callable[..., Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        program = run_program(declare, config("production"), "production")
    assert program.warnings == []
    assert [each.type for each in program.resources if each.type.lower().endswith("v2")] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"regoin": "eu-west-1"}, "regoin"),
        ({"account_id": "12"}, "account_id"),
        ({"network": {"availability_zones": 9}}, "availability_zones"),
    ],
)
def test_wrong_settings_stop_the_program_with_a_message(
    run_program: Callable[..., Any], config: Callable[..., Any], change: dict[str, Any], said: str
) -> None:
    with pytest.raises(pulumi.RunError, match=said):
        run_program(declare, config("local", **change))


def test_a_wrong_model_stops_the_program_with_a_message(
    run_program: Callable[..., Any], config: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "models" / "cars").mkdir(parents=True)
    text = (project_directory() / "models" / "auto_mpg" / "model.toml").read_text()
    (tmp_path / "models" / "cars" / "model.toml").write_text(text.replace("ml.m5.large", "ml.m5.lrage"))
    monkeypatch.setattr("infra.platform.project_directory", lambda: tmp_path)
    with pytest.raises(pulumi.RunError, match=r"models/cars/model\.toml: training\.instance_type: .*lrage"):
        run_program(declare, config("local"))


def test_a_wrong_release_file_stops_the_program_with_a_message(
    run_program: Callable[..., Any], config: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "local.toml").write_text("[models.auto-mpg]\npackage = 1\n")
    with pytest.raises(pulumi.RunError, match=r"local\.toml"):
        run_program(declare, config("local", releases=str(tmp_path)))


def test_a_release_of_no_model_is_said_and_ignored(
    run_program: Callable[..., Any], config: Callable[..., Any], tmp_path: Path
) -> None:
    digest = "0" * 64
    (tmp_path / "local.toml").write_text(
        "[models.gone]\n"
        'package = "arn:aws:sagemaker:eu-west-1:111111111111:model-package/drivetrain-local-gone/1"\n'
        'artefact = "s3://artifacts/models/gone/model.tar.gz"\n'
        f'artefact_sha256 = "{digest}"\nmanifest_sha256 = "{digest}"\n'
        f'image = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/serving@sha256:{digest}"\n'
        'snapshot = "1"\ncommit = "abc"\n[models.gone.metrics]\nmae = 1.0\n'
    )
    program = run_program(declare, config("local", releases=str(tmp_path)))
    assert ["gone" in warning for warning in program.warnings] == [True]
    assert [each for each in program.resources if "gone" in each.name] == []


def test_no_rule_is_broken_that_is_not_exempt(program: Any) -> None:
    (provider,) = program.of("pulumi:providers:aws")
    stack = next(each for each in STACKS if f'"stack": "{each}"' in provider.inputs["defaultTags"])
    resources = declared_resources(program, stack)
    violations = evaluate(resources, load_exemptions(), datetime.datetime.now(datetime.UTC).date())
    assert [each.text for each in violations] == []


def declared_resources(program: Any, stack: str) -> list[Resource]:
    return [
        Resource(
            type=each.type,
            name=each.name,
            properties=each.inputs,
            urn=f"urn:pulumi:{stack}::drivetrain::{each.type}::{each.name}",
            protect=each.protect,
        )
        for each in program.resources
        if each.custom
    ]
