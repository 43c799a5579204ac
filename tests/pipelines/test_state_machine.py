"""The definition is walked: where it leads, what it retries, and whether each request is one the service knows."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from cfnlint.api import ManualArgs, lint

from models.release import Release
from models.schema import Training
from models.spec import ModelSpec, load_spec
from pipelines.state_machine import definition
from pipelines.targets import ImageTarget, PipelineTargets, Released

PROJECT = Path(__file__).resolve().parents[2]
ACCOUNT = "111111111111"
RELEASED = Released(artefact="s3://artifacts/models/auto-mpg/old/output/model.tar.gz", snapshot="77")
RESOURCES = {
    "aws-sdk:ecr:batchGetImage": ("ecr", "BatchGetImage"),
    "glue:startJobRun.sync": ("glue", "StartJobRun"),
    "aws-sdk:s3:getObject": ("s3", "GetObject"),
    "aws-sdk:s3:putObject": ("s3", "PutObject"),
    "sagemaker:createTrainingJob.sync": ("sagemaker", "CreateTrainingJob"),
    "sagemaker:createProcessingJob.sync": ("sagemaker", "CreateProcessingJob"),
    "aws-sdk:sagemaker:createModelPackage": ("sagemaker", "CreateModelPackage"),
    "aws-sdk:kms:sign": ("kms", "Sign"),
    "events:putEvents": ("events", "PutEvents"),
}
GPU = {"instance_type": "ml.g5.xlarge", "instance_count": 1, "spot": True, "max_runtime_s": 600, "max_wait_s": 1200}


def targets(released: Released | None = None) -> PipelineTargets:
    def image(name: str) -> ImageTarget:
        repository = f"drivetrain-local-{name}"
        url = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/{repository}"
        return ImageTarget(repository=repository, url=url, tag="src-0123456789abcdef")

    return PipelineTargets(
        landing_bucket="landing",
        lake_bucket="lake",
        artifacts_bucket="artifacts",
        curated_database="drivetrain_local_curated",
        quarantine_database="drivetrain_local_quarantine",
        ingest_job="drivetrain-local-auto-mpg-ingest",
        validate_job="drivetrain-local-auto-mpg-validate",
        job_prefix="drivetrain-local-auto-mpg",
        package_group="drivetrain-local-auto-mpg",
        event_source="drivetrain-local",
        training_image=image("training"),
        serving_image=image("serving"),
        train_role_arn=f"arn:aws:iam::{ACCOUNT}:role/drivetrain-local-auto-mpg-train",
        evaluate_role_arn=f"arn:aws:iam::{ACCOUNT}:role/drivetrain-local-auto-mpg-evaluate",
        subnet_ids=("subnet-1", "subnet-2"),
        security_group_ids=("sg-1",),
        data_key_arn=f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/data",
        signing_key_alias="drivetrain-local-signing",
        released=released,
        tags={"project": "drivetrain"},
    )


@pytest.fixture(scope="module")
def spec() -> ModelSpec:
    return load_spec(PROJECT / "models" / "auto_mpg")


@pytest.fixture(scope="module")
def states(spec: ModelSpec) -> dict[str, Any]:
    return definition(spec, targets(RELEASED))["States"]


def tasks(states: dict[str, Any]) -> dict[str, Any]:
    return {name: state for name, state in states.items() if state["Type"] == "Task"}


def successors(state: dict[str, Any]) -> Iterator[str]:
    if "Next" in state:
        yield state["Next"]
    for branch in (*state.get("Choices", ()), *state.get("Catch", ())):
        yield branch["Next"]
    if "Default" in state:
        yield state["Default"]


def resolved(value: Any) -> Any:
    """The block with its paths replaced by text, as the service would see it."""
    if isinstance(value, dict):
        return {
            name.removesuffix(".$"): "x" * 20 if name.endswith(".$") else resolved(each) for name, each in value.items()
        }
    return [resolved(each) for each in value] if isinstance(value, list) else value


def test_every_state_is_reached_and_every_successor_exists(spec: ModelSpec) -> None:
    machine = definition(spec, targets(RELEASED))
    reached: set[str] = set()
    waiting = [machine["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(successors(machine["States"][name]))
    assert reached == set(machine["States"])


def test_the_steps_come_in_the_agreed_order(states: dict[str, Any]) -> None:
    walked = ["Begin"]
    passing = {"Gate": "Register"}
    while states[walked[-1]]["Type"] not in {"Succeed", "Fail"}:
        state = states[walked[-1]]
        walked.append(passing.get(walked[-1]) or state.get("Next") or state["Default"])
    assert [name for name in walked if name in tasks(states)] == [
        "ResolveTrainingImage",
        "ResolveServingImage",
        "Ingest",
        "ReadIngest",
        "Validate",
        "Train",
        "Evaluate",
        "ReadEvaluation",
        "Register",
        "SignRelease",
        "ProposeRelease",
        "AnnounceRelease",
    ]


def test_every_task_retries_with_jitter_times_out_and_catches(states: dict[str, Any]) -> None:
    for name, state in tasks(states).items():
        assert state["TimeoutSeconds"] > 0, name
        for retry in state["Retry"]:
            assert retry["BackoffRate"] > 1, name
            assert retry["JitterStrategy"] == "FULL", name
            assert not {"States.ALL", "States.TaskFailed"} & set(retry["ErrorEquals"]), (
                f"{name} would retry a failed job"
            )
        assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name
        assert all(states[catch["Next"]]["Type"] == "Fail" for catch in state["Catch"]), name


def test_a_failed_step_keeps_its_cause(states: dict[str, Any]) -> None:
    catch = states["Train"]["Catch"][-1]
    assert catch == {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "TrainFailed"}
    assert states["TrainFailed"] == {"Type": "Fail", "Error": "TrainFailed", "CausePath": "$.failure.Cause"}
    assert states["GateFailed"]["CausePath"] == "$.evaluation.content.reasons"


@pytest.mark.parametrize("released", [None, RELEASED], ids=["first", "released"])
@pytest.mark.parametrize("training", [{}, GPU], ids=["cpu", "gpu"])
def test_every_request_is_one_that_botocore_knows(
    spec: ModelSpec, released: Released | None, training: dict[str, Any]
) -> None:
    changed = spec.model_copy(update={"training": spec.training.model_copy(update=training)})
    session = botocore.session.get_session()
    for name, state in tasks(definition(changed, targets(released))["States"]).items():
        service, operation = RESOURCES[state["Resource"].removeprefix("arn:aws:states:::")]
        model: Any = session.get_service_model(service)
        shape = model.operation_model(operation).input_shape
        request = _in_service_case(resolved(state["Parameters"]), shape)
        if service == "events":  # Step Functions turns the object into the text that the API wants
            request["Entries"] = [{**entry, "Detail": json.dumps(entry["Detail"])} for entry in request["Entries"]]
        report = ParamValidator().validate(request, shape)
        assert not report.has_errors(), f"{name}: {report.generate_report()}"


def _in_service_case(value: Any, shape: Any) -> Any:
    """Step Functions spells every member with a capital first letter; ECR's own do not."""
    if shape.type_name == "structure":
        spelling = {member[0].upper() + member[1:]: member for member in shape.members}
        unknown = set(value) - set(spelling)
        assert not unknown, f"{shape.name} has no {unknown}"
        return {spelling[key]: _in_service_case(each, shape.members[spelling[key]]) for key, each in value.items()}
    if shape.type_name == "blob" and isinstance(value, dict):
        return json.dumps(value)
    if shape.type_name == "list":
        return [_in_service_case(each, shape.member) for each in value]
    return value


def test_gpu_and_spot_give_checkpoints_and_a_longest_wait(spec: ModelSpec) -> None:
    gpu = spec.model_copy(update={"training": Training.model_validate(GPU)})
    request = definition(gpu, targets())["States"]["Train"]["Parameters"]
    assert request["ResourceConfig"] == {
        "InstanceType": "ml.g5.xlarge",
        "InstanceCount": 1,
        "VolumeSizeInGB": 30,
    }, "SageMaker refuses a volume key for instances with disks of their own"
    assert request["EnableManagedSpotTraining"] is True
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 1200}
    assert request["CheckpointConfig"]["LocalPath"] == "/opt/ml/checkpoints"


def test_on_demand_training_has_no_longest_wait(spec: ModelSpec) -> None:
    changed = spec.model_copy(update={"training": spec.training.model_copy(update={"spot": False})})
    request = definition(changed, targets())["States"]["Train"]["Parameters"]
    assert request["EnableManagedSpotTraining"] is False
    assert "MaxWaitTimeInSeconds" not in request["StoppingCondition"]


def test_jobs_run_in_the_vpc_encrypted_and_isolated(states: dict[str, Any]) -> None:
    train, evaluate = states["Train"]["Parameters"], states["Evaluate"]["Parameters"]
    key = targets().data_key_arn
    assert train["ResourceConfig"]["VolumeKmsKeyId"] == train["OutputDataConfig"]["KmsKeyId"] == key
    assert evaluate["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"] == key
    assert evaluate["ProcessingOutputConfig"]["KmsKeyId"] == key
    assert train["EnableNetworkIsolation"] is evaluate["NetworkConfig"]["EnableNetworkIsolation"] is True
    assert train["VpcConfig"] == evaluate["NetworkConfig"]["VpcConfig"]
    assert train["VpcConfig"] == {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}


def test_hyperparameters_are_text_and_carry_the_lineage(spec: ModelSpec) -> None:
    given = {"seed": 3, "epochs": 10, "rate": 1e-3, "bagged": True, "schedule": "cosine"}
    changed = spec.model_copy(update={"training": spec.training.model_copy(update={"hyperparameters": given})})
    sent = definition(changed, targets())["States"]["Train"]["Parameters"]["HyperParameters"]
    assert all(isinstance(value, str) for value in sent.values())
    assert sent["model"] == "auto-mpg"
    assert {name: sent[name] for name in given} == {
        "seed": "3",
        "epochs": "10",
        "rate": "0.001",
        "bagged": "true",
        "schedule": "cosine",
    }
    assert sent["snapshot_id.$"] == "$.ingest.content.snapshot_id"


def test_a_run_over_everything_ends_early_only_when_a_release_of_the_same_snapshot_is_live(spec: ModelSpec) -> None:
    def compared(released: Released | None) -> list[str]:
        choices = definition(spec, targets(released))["States"]["CheckNewData"]["Choices"]
        (nothing_new,) = (choice for choice in choices if choice["Next"] == "NothingNew")
        return [each["StringEquals"] for each in nothing_new["And"][-1]["Or"] if "StringEquals" in each]

    assert compared(RELEASED) == [RELEASED.snapshot]
    assert compared(None) == []


def test_the_released_model_is_an_input_of_the_evaluation_once_there_is_one(spec: ModelSpec) -> None:
    def inputs(released: Released | None) -> list[str]:
        request = definition(spec, targets(released))["States"]["Evaluate"]["Parameters"]
        return [each["InputName"] for each in request["ProcessingInputs"]]

    assert inputs(None) == ["model", "dataset"]
    assert inputs(RELEASED) == ["model", "dataset", "released"]


def test_the_proposal_holds_exactly_the_fields_of_a_release(states: dict[str, Any]) -> None:
    proposed = {name.removesuffix(".$") for name in states["DescribeRelease"]["Parameters"]}
    assert proposed == set(Release.model_fields)


def test_what_is_proposed_is_the_text_that_was_signed(states: dict[str, Any]) -> None:
    assert states["WriteRelease"]["Parameters"] == {"document.$": "States.JsonToString($.release)"}
    assert "$.written.document" in states["SignRelease"]["Parameters"]["Message.$"]
    assert states["SignRelease"]["Parameters"]["KeyId"] == "alias/drivetrain-local-signing"
    assert states["ProposeRelease"]["Parameters"]["Body"]["document.$"] == "$.written.document"
    assert states["ProposeRelease"]["Parameters"]["Body"]["signature.$"] == "$.signed.signature"


def test_the_definition_fits_step_functions(spec: ModelSpec) -> None:
    machine = definition(spec, targets(RELEASED))
    template = {
        "Resources": {
            "Pipeline": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/pipeline", "Definition": machine},
            }
        }
    }
    found = lint(json.dumps(template), config=ManualArgs(regions=["eu-west-1"]))
    assert [str(each) for each in found] == [], "cfn-lint knows the States Language"
    assert len(json.dumps(machine).encode()) < 1_000_000, "a definition holds at most 1 MB"
    assert all(len(name) <= 80 for name in machine["States"])
