"""The very definition in an interpreter: which way it goes on what the jobs left, and what it proposes at the end.

The jobs themselves are replaced by states that show their request; everything else is what Step Functions runs.
"""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from delivery.releases.proposals import find_proposal
from delivery.releases.signing import SigningKey
from models.spec import load_spec
from pipelines.jobs import job_name
from pipelines.state_machine import definition
from pipelines.targets import ImageTarget, PipelineTargets, Released
from rehearsal import server

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
ACCOUNT, REGION = "111111111111", "eu-west-1"
ARTEFACT = "s3://artifacts/models/auto-mpg/job/output/model.tar.gz"
BIG = "9223372036854775807"
PASSED = {
    "passed": True,
    "reasons": "",
    "metrics": {"mae": 1.9, "rmse": 2.5},
    "git_commit": "0123abc",
    "artefact_sha256": "a" * 64,
    "manifest_sha256": "b" * 64,
}
Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Any]]:
    running = server.start(tmp_path_factory.mktemp("rehearsal"))
    try:
        environment = running.environment(ACCOUNT, REGION)

        def client(service: str) -> Any:
            make: Any = boto3.client
            return make(
                service,
                endpoint_url=environment["AWS_ENDPOINT_URL"],
                aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
                region_name=REGION,
            )

        _furnish(client)
        yield client
    finally:
        running.stop()


def _furnish(client: Callable[[str], Any]) -> None:
    client("s3").create_bucket(Bucket="artifacts", CreateBucketConfiguration={"LocationConstraint": REGION})
    for name in ("training", "serving"):
        client("ecr").create_repository(repositoryName=name)
        manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "name": name}
        client("ecr").put_image(repositoryName=name, imageManifest=json.dumps(manifest), imageTag="src-1")
    client("sagemaker").create_model_package_group(ModelPackageGroupName="auto-mpg")
    key = client("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    client("kms").create_alias(AliasName="alias/signing", TargetKeyId=key)
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "states.amazonaws.com"}}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    client("iam").create_role(RoleName="pipeline", AssumeRolePolicyDocument=_policy(trust))
    client("iam").put_role_policy(RoleName="pipeline", PolicyName="all", PolicyDocument=_policy(everything))


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _targets(tag: str = "src-1") -> PipelineTargets:
    def image(name: str, tag: str) -> ImageTarget:
        return ImageTarget(repository=name, url=f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}", tag=tag)

    return PipelineTargets(
        landing_bucket="landing",
        lake_bucket="lake",
        artifacts_bucket="artifacts",
        curated_database="curated",
        quarantine_database="quarantine",
        ingest_job="ingest",
        validate_job="validate",
        job_prefix="drivetrain-local-auto-mpg",
        package_group="auto-mpg",
        event_source="drivetrain-local",
        training_image=image("training", "src-1"),
        serving_image=image("serving", tag),
        train_role_arn=f"arn:aws:iam::{ACCOUNT}:role/train",
        evaluate_role_arn=f"arn:aws:iam::{ACCOUNT}:role/evaluate",
        subnet_ids=("subnet-1",),
        security_group_ids=("sg-1",),
        data_key_arn=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/data",
        signing_key_alias="signing",
        released=Released(artefact=ARTEFACT, snapshot="77"),
    )


def _without_jobs(machine: dict[str, Any]) -> dict[str, Any]:
    """The machine with each job replaced by two states: one keeps its request, one answers as the job would."""
    states = machine["States"]
    for name in ("Ingest", "Validate", "Train", "Evaluate"):
        job = states[name]
        asked = {"Type": "Pass", "Parameters": job["Parameters"], "ResultPath": f"$.asked{name}", "Next": f"{name}Done"}
        answer: dict[str, Any] = {"Type": "Pass", "Next": job["Next"]}
        if name == "Train":
            answer |= {"Result": {"job": "job", "artefact": ARTEFACT}, "ResultPath": "$.train"}
        states |= {name: asked, f"{name}Done": answer}
    return machine


@pytest.fixture
def run(clients: Callable[[str], Any], request: pytest.FixtureRequest) -> Run:
    def execute(
        *, ingest: dict[str, Any], evaluation: dict[str, Any] = PASSED, given: str = "{}", tag: str = "src-1"
    ) -> dict[str, Any]:
        name = request.node.name.replace("[", "-").replace("]", "")[:60]
        spec = load_spec(PROJECT / "models" / "auto_mpg")
        machine = _without_jobs(definition(spec, _targets(tag)))
        states = clients("stepfunctions")
        arn = states.create_state_machine(
            name=name, definition=json.dumps(machine), roleArn=f"arn:aws:iam::{ACCOUNT}:role/pipeline"
        )["stateMachineArn"]
        for file, content in (("ingest.json", ingest), ("evaluation/evaluation.json", evaluation)):
            clients("s3").put_object(Bucket="artifacts", Key=f"runs/auto-mpg/{name}/{file}", Body=json.dumps(content))
        execution = states.start_execution(stateMachineArn=arn, name=name, input=given)["executionArn"]
        deadline = time.monotonic() + 60
        while (found := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
            assert time.monotonic() < deadline, "the execution does not end"
            time.sleep(0.2)
        return {**found, "history": states.get_execution_history(executionArn=execution)["events"]}

    return execute


def _after(outcome: dict[str, Any], state: str) -> dict[str, Any]:
    """The execution's data as the state left them."""
    exits = [event["stateExitedEventDetails"] for event in outcome["history"] if "stateExitedEventDetails" in event]
    return json.loads(next(each["output"] for each in exits if each["name"] == state))


def test_what_passed_is_registered_and_proposed(run: Run, clients: Callable[[str], Any]) -> None:
    outcome = run(ingest={"snapshot_id": BIG, "rows_added": 5})
    assert outcome["status"] == "SUCCEEDED", outcome.get("cause")
    proposal = find_proposal(clients("s3"), "artifacts", "auto-mpg", outcome["name"])
    assert proposal is not None
    release = proposal.release
    assert release.snapshot == BIG, "an int64 must not lose digits"
    assert release.artefact == ARTEFACT
    assert release.metrics == PASSED["metrics"]
    package = clients("sagemaker").describe_model_package(ModelPackageName=release.package)
    assert package["ModelApprovalStatus"] == "Approved"
    assert package["CustomerMetadataProperties"]["snapshot"] == BIG
    assert package["CustomerMetadataProperties"]["metric_mae"] == "1.9"
    signing = SigningKey(client=clients("kms"), alias="signing")
    assert signing.verifies(proposal.signed_messages[1], proposal.signature)
    assert not signing.verifies(proposal.signed_messages[1] + b" ", proposal.signature)


def test_without_its_key_nothing_is_proposed(run: Run, clients: Callable[[str], Any]) -> None:
    clients("kms").delete_alias(AliasName="alias/signing")
    try:
        outcome = run(ingest={"snapshot_id": BIG, "rows_added": 5})
    finally:
        key = clients("kms").create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
        clients("kms").create_alias(AliasName="alias/signing", TargetKeyId=key)
    assert (outcome["status"], outcome["error"]) == ("FAILED", "SignReleaseFailed")
    listed = clients("s3").list_objects_v2(Bucket="artifacts", Prefix=f"proposals/auto-mpg/{outcome['name']}")
    assert listed["KeyCount"] == 0


def test_the_jobs_are_asked_for_this_execution(run: Run) -> None:
    outcome = run(ingest={"snapshot_id": BIG, "rows_added": 5}, given='{"prefix": "auto-mpg/cars.csv"}')
    data = _after(outcome, "EvaluateDone")
    assert data["askedIngest"]["Arguments"]["--prefix"] == "auto-mpg/cars.csv"
    assert data["askedValidate"]["Arguments"]["--snapshot-id"] == BIG
    train, evaluate = data["askedTrain"], data["askedEvaluate"]
    assert train["TrainingJobName"] == job_name("drivetrain-local-auto-mpg", outcome["name"])
    assert train["HyperParameters"]["snapshot_id"] == BIG
    assert "@sha256:" in train["AlgorithmSpecification"]["TrainingImage"]
    assert train["CheckpointConfig"]["S3Uri"] == f"s3://artifacts/checkpoints/auto-mpg/{outcome['name']}/"
    assert [each["S3Input"]["S3Uri"] for each in evaluate["ProcessingInputs"]] == [
        ARTEFACT,
        f"s3://lake/exports/auto-mpg/{BIG}/",
        ARTEFACT,
    ]


def test_without_input_all_of_the_landing_folder_is_taken(run: Run) -> None:
    outcome = run(ingest={"snapshot_id": BIG, "rows_added": 0})
    assert _after(outcome, "IngestDone")["askedIngest"]["Arguments"]["--prefix"] == "auto-mpg/"


def test_nothing_new_ends_before_training(run: Run) -> None:
    outcome = run(ingest={"snapshot_id": "77", "rows_added": 0})
    assert outcome["status"] == "SUCCEEDED"
    assert "askedTrain" not in outcome["output"]


def test_an_object_that_brings_nothing_starts_no_training(run: Run) -> None:
    outcome = run(ingest={"snapshot_id": BIG, "rows_added": 0}, given='{"prefix": "auto-mpg/bad.csv"}')
    assert outcome["status"] == "SUCCEEDED"
    assert "askedTrain" not in outcome["output"]


def test_a_run_over_everything_makes_good_a_training_that_failed(run: Run) -> None:
    outcome = run(ingest={"snapshot_id": BIG, "rows_added": 0})
    assert json.loads(outcome["output"])["snapshot"] == BIG


def test_force_trains_all_the_same(run: Run) -> None:
    outcome = run(ingest={"snapshot_id": "77", "rows_added": 0}, given='{"force": true}')
    assert outcome["status"] == "SUCCEEDED"
    assert json.loads(outcome["output"])["snapshot"] == "77"


@pytest.mark.parametrize("snapshot", [None, ""])
def test_an_empty_table_fails_and_says_where_data_goes(run: Run, snapshot: str | None) -> None:
    outcome = run(ingest={"snapshot_id": snapshot, "rows_added": 0})
    assert (outcome["status"], outcome["error"]) == ("FAILED", "TableEmpty")
    assert "s3://landing/auto-mpg/" in outcome["cause"]


def test_a_failed_gate_registers_nothing_and_says_why(run: Run, clients: Callable[[str], Any]) -> None:
    before = clients("sagemaker").list_model_packages(ModelPackageGroupName="auto-mpg")["ModelPackageSummaryList"]
    refused = {**PASSED, "passed": False, "reasons": "mae 3.1 is above 2.5"}
    outcome = run(ingest={"snapshot_id": BIG, "rows_added": 5}, evaluation=refused)
    assert (outcome["status"], outcome["error"]) == ("FAILED", "GateFailed")
    assert outcome["cause"] == "mae 3.1 is above 2.5"
    after = clients("sagemaker").list_model_packages(ModelPackageGroupName="auto-mpg")["ModelPackageSummaryList"]
    assert len(after) == len(before)


def test_an_image_that_was_not_pushed_is_named(run: Run) -> None:
    outcome = run(ingest={"snapshot_id": BIG, "rows_added": 5}, tag="src-2")
    assert (outcome["status"], outcome["error"]) == ("FAILED", "ImageMissing")
    assert "serving:src-2" in outcome["cause"]
