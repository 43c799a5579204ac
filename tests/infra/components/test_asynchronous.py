"""An asynchronous endpoint: where it answers, whom it tells, how it scales, and what its role may do for that."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra import platform
from infra.model_folders import checked_models
from models.release import write_releases
from models.schema import Asynchronous
from models.spec import ModelSpec
from tests.infra.components.test_model import a_release

# Each test runs the program anew.
pytestmark = pytest.mark.slow
ENDPOINT = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"


@pytest.fixture
def declared_with(
    tmp_path: Path,
    run_program: Callable[..., Any],
    config: Callable[..., dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Any]:
    """The program of a stack whose model is released and has these settings."""

    def declare(stack: str, settings: Asynchronous) -> Any:
        def models(project_dir: Path) -> tuple[ModelSpec, ...]:
            (spec,) = checked_models(project_dir)
            return (spec.model_copy(update={"serving": spec.serving.model_copy(update={"asynchronous": settings})}),)

        monkeypatch.setattr(platform, "checked_models", models)
        write_releases(tmp_path / f"{stack}.toml", {"auto-mpg": a_release()})
        return run_program(platform.declare, config(stack, releases=str(tmp_path)), stack)

    return declare


def test_an_asynchronous_endpoint_answers_into_the_capture_bucket(declared_with: Callable[..., Any]) -> None:
    program = declared_with("production", Asynchronous(max_concurrent=8, backlog_per_instance=3))
    (configuration,) = program.of(ENDPOINT)
    found = configuration.inputs["asyncInferenceConfig"]
    assert found["clientConfig"] == {"maxConcurrentInvocationsPerInstance": 8}
    output = found["outputConfig"]
    assert output["s3OutputPath"].endswith("-capture/async/auto-mpg/answers/")
    assert output["s3FailurePath"].endswith("-capture/async/auto-mpg/failures/")
    assert output["kmsKeyId"] == configuration.inputs["kmsKeyArn"]
    (topic,) = [each for each in program.of("aws:sns/topic:Topic") if each.inputs["name"].endswith("-answers")]
    assert topic.inputs["kmsMasterKeyId"]
    assert output["notificationConfig"]["successTopic"] == output["notificationConfig"]["errorTopic"]
    (scaling,) = program.of("aws:appautoscaling/policy:Policy")
    tracking = scaling.inputs["targetTrackingScalingPolicyConfiguration"]
    assert tracking["targetValue"] == 3
    assert tracking["customizedMetricSpecification"]["metricName"] == "ApproximateBacklogSizePerInstance"


def test_the_role_reads_requests_and_writes_answers_and_no_more(declared_with: Callable[..., Any]) -> None:
    program = declared_with("production", Asynchronous())
    (policy,) = [
        each for each in program.of("aws:iam/rolePolicy:RolePolicy") if each.inputs["role"].endswith("-mpg-endpoint")
    ]
    by_sid = {each["Sid"]: each for each in policy.policy()["Statement"]}
    assert by_sid["Requests"]["Action"] == ["s3:GetObject"]
    assert "/async/auto-mpg/requests/*" in str(by_sid["Requests"]["Resource"])
    assert "/async/auto-mpg/answers/*" in str(by_sid["Answers"]["Resource"])
    assert "/async/auto-mpg/failures/*" in str(by_sid["Failures"]["Resource"])
    assert ":drivetrain-production-auto-mpg-answers" in str(by_sid["TellAnswers"]["Resource"])
    assert "kms:ViaService" in by_sid["TopicKey"]["Condition"]["StringEquals"]


def test_who_wants_no_topic_gets_none(declared_with: Callable[..., Any]) -> None:
    program = declared_with("production", Asynchronous(notify=False))
    (configuration,) = program.of(ENDPOINT)
    assert "notificationConfig" not in configuration.inputs["asyncInferenceConfig"]["outputConfig"]
    assert not [each for each in program.of("aws:sns/topic:Topic") if each.inputs["name"].endswith("-answers")]


def test_a_serverless_endpoint_answers_at_once(declared_with: Callable[..., Any]) -> None:
    program = declared_with("dev", Asynchronous())
    (configuration,) = program.of(ENDPOINT)
    assert configuration.inputs["productionVariants"][0].get("serverlessConfig")
    assert "asyncInferenceConfig" not in configuration.inputs
