"""State machines run their jobs to the end, in the account they belong to, and fail with the reason of the job."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

SOURCE = """
import json, os, pathlib, sys, time
base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
if sys.argv[1:] == ["evaluate"]:
    config = json.loads((base / "config/processingjobconfig.json").read_text())
    assert (base / "processing/input/model/model.tar.gz").stat().st_size > 0
    answer = {"passed": True, "mae": 1.5, "model": os.environ["MODEL"], "job": config["ProcessingJobName"],
              "credentials": "AWS_ACCESS_KEY_ID" in os.environ}
    (base / "processing/output/evaluation.json").write_text(json.dumps(answer))
    sys.exit(0)
mode = json.loads((base / "input/config/hyperparameters.json").read_text())["mode"]
if mode == "hang":
    print("hanging", flush=True)
    time.sleep(300)
if mode == "raise":
    (base / "output/failure").write_text("the loss is not a number")
    sys.exit(1)
(base / "model/weights.txt").write_text(mode)
"""

GLUE_SCRIPT = b"""
import sys, time
if "hang" in sys.argv:
    time.sleep(300)
if "bad" in sys.argv:
    raise ValueError("column mpg is missing")
"""


class Machine:
    """One state machine that trains, evaluates and reads what was evaluated."""

    def __init__(self, account: Any, folder: Path, eventually: Callable[..., Any]) -> None:
        self.account, self.eventually = account, eventually
        self.states = account.client("stepfunctions")
        self.bucket = account.bucket()
        self.image = account.image(folder, SOURCE)
        self.repository, self.digest = "box", self.image.partition("@")[2]
        account.role()
        arn = self.states.create_state_machine(
            name="cars", definition=json.dumps(self.definition()), roleArn=account.role("pipeline")
        )
        self.arn = arn["stateMachineArn"]

    def definition(self) -> dict[str, Any]:
        role = f"arn:aws:iam::{self.account.account_id}:role/job"
        cluster = {"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}}
        train = {
            "TrainingJobName.$": "States.Format('train-{}', $$.Execution.Name)",
            "RoleArn": role,
            "AlgorithmSpecification": {"TrainingImage.$": "$.image.uri", "TrainingInputMode": "File"},
            "HyperParameters": {"mode.$": "$.mode"},
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/models/"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds.$": "$.limit"},
        }
        evaluate = {
            "ProcessingJobName.$": "States.Format('evaluate-{}', $$.Execution.Name)",
            "RoleArn": role,
            "AppSpecification": {
                "ImageUri.$": "$.image.uri",
                "ContainerEntrypoint": ["python", "-m", "box"],
                "ContainerArguments": ["evaluate"],
            },
            "Environment": {"MODEL": "cars"},
            "NetworkConfig": {"EnableNetworkIsolation": True},
            "ProcessingResources": cluster,
            "ProcessingInputs": [
                {
                    "InputName": "model",
                    "S3Input": {
                        "S3Uri.$": "$.train.ModelArtifacts.S3ModelArtifacts",
                        "LocalPath": "/opt/ml/processing/input/model",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": "evaluation",
                        "S3Output": {
                            "S3Uri.$": f"States.Format('s3://{self.bucket}/runs/{{}}', $$.Execution.Name)",
                            "LocalPath": "/opt/ml/processing/output",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                ]
            },
        }
        read = {"Bucket": self.bucket, "Key.$": "States.Format('runs/{}/evaluation.json', $$.Execution.Name)"}
        package = {
            "ModelPackageGroupName": "cars",
            "ModelApprovalStatus": "Approved",
            "CustomerMetadataProperties": {"job.$": "$.train.TrainingJobName"},
        }
        uri = f"States.Format('{self.image.partition('@')[0]}@{{}}', $.found.Images[0].ImageId.ImageDigest)"
        return {
            "StartAt": "Find",
            "States": {
                "Find": task("aws-sdk:ecr:batchGetImage", image_ids(self.repository), "$.found", "Name"),
                "Name": {"Type": "Pass", "Parameters": {"uri.$": uri}, "ResultPath": "$.image", "Next": "Train"},
                "Train": task("sagemaker:createTrainingJob.sync", train, "$.train", "Evaluate"),
                "Evaluate": task("sagemaker:createProcessingJob.sync", evaluate, "$.evaluated", "Read"),
                "Read": {
                    **task("aws-sdk:s3:getObject", read, "$.evaluation", "Register"),
                    "ResultSelector": {"content.$": "States.StringToJson($.Body)", "when.$": "$.LastModified"},
                },
                "Register": task("aws-sdk:sagemaker:createModelPackage", package, "$.package", "Keep"),
                "Keep": task(
                    "aws-sdk:s3:putObject",
                    {"Bucket": self.bucket, "Key": "proposal.json", "Body.$": "$.evaluation.content"},
                    "$.kept",
                    None,
                ),
            },
        }

    def run(self, mode: str, name: str = "one", limit: int = 60) -> dict[str, Any]:
        arn = self.start(mode, name, limit)

        def look() -> Any:
            found = self.states.describe_execution(executionArn=arn)
            return found if found["status"] != "RUNNING" else None

        return self.eventually(look, seconds=120)

    def start(self, mode: str, name: str = "one", limit: int = 60) -> str:
        content = json.dumps({"mode": mode, "limit": limit})
        return self.states.start_execution(stateMachineArn=self.arn, name=name, input=content)["executionArn"]


def task(resource: str, parameters: dict[str, Any], result: str, following: str | None) -> dict[str, Any]:
    last = {"End": True} if following is None else {"Next": following}
    arn = f"arn:aws:states:::{resource}"
    return {"Type": "Task", "Resource": arn, "Parameters": parameters, "ResultPath": result, **last}


def image_ids(repository: str) -> dict[str, Any]:
    return {"RepositoryName": repository, "ImageIds": [{"ImageTag": "one"}]}


@pytest.fixture
def machine(account: Any, tmp_path: Path, eventually: Callable[..., Any]) -> Machine:
    return Machine(account, tmp_path, eventually)


def test_an_execution_trains_evaluates_and_registers(machine: Machine) -> None:
    machine.account.client("sagemaker").create_model_package_group(ModelPackageGroupName="cars")
    found = machine.run("good")
    assert found["status"] == "SUCCEEDED", found.get("cause")
    output = json.loads(found["output"])
    assert output["train"]["TrainingJobStatus"] == "Completed"
    assert isinstance(output["train"]["CreationTime"], int)
    assert output["evaluated"]["ProcessingJobStatus"] == "Completed"
    content = output["evaluation"]["content"]
    assert content == {"passed": True, "mae": 1.5, "model": "cars", "job": "evaluate-one", "credentials": False}
    assert output["evaluation"]["when"].endswith("Z")
    package = machine.account.client("sagemaker").describe_model_package(
        ModelPackageName=output["package"]["ModelPackageArn"]
    )
    assert package["CustomerMetadataProperties"] == {"job": "train-one"}
    assert machine.account.json_object(machine.bucket, "proposal.json") == content
    packed = machine.account.client("s3").get_object(Bucket=machine.bucket, Key="models/train-one/output/model.tar.gz")
    with tarfile.open(fileobj=io.BytesIO(packed["Body"].read())) as archive:
        assert archive.getnames() == ["weights.txt"]


def test_a_failing_job_fails_the_execution_with_its_reason(machine: Machine) -> None:
    found = machine.run("raise")
    assert (found["status"], found["error"]) == ("FAILED", "States.TaskFailed")
    cause = json.loads(found["cause"])
    assert cause["TrainingJobStatus"] == "Failed"
    assert cause["FailureReason"] == "AlgorithmError: the loss is not a number, exit code: 1"
    assert machine.account.client("sagemaker").list_model_packages()["ModelPackageSummaryList"] == []


def test_a_job_past_its_limit_fails_the_execution(machine: Machine) -> None:
    found = machine.run("hang", limit=1)
    assert (found["status"], found["error"]) == ("FAILED", "States.TaskFailed")
    cause = json.loads(found["cause"])
    assert (cause["TrainingJobStatus"], cause["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_a_job_of_the_same_name_is_an_error_of_sagemaker(machine: Machine) -> None:
    machine.run("raise")
    machine.account.client("stepfunctions").delete_state_machine(stateMachineArn=machine.arn)
    machine.states.create_state_machine(
        name="again", definition=json.dumps(machine.definition()), roleArn=machine.account.role("pipeline")
    )
    machine.arn = machine.arn.replace(":cars", ":again")
    found = machine.run("raise")
    assert found["error"] == "SageMaker.ResourceInUseException"
    assert "already exists" in found["cause"]


def test_stopping_the_execution_stops_its_job(machine: Machine) -> None:
    arn = machine.start("hang")
    sagemaker = machine.account.client("sagemaker")

    def status() -> str:
        jobs = sagemaker.list_training_jobs()["TrainingJobSummaries"]
        return jobs[0]["TrainingJobStatus"] if jobs else ""

    machine.eventually(lambda: status() == "InProgress")
    machine.states.stop_execution(executionArn=arn)
    machine.eventually(lambda: status() == "Stopped")
    # The execution ends by itself, a moment before its job or after.
    machine.eventually(lambda: machine.states.describe_execution(executionArn=arn)["status"] != "RUNNING")
    assert machine.states.describe_execution(executionArn=arn)["status"] == "ABORTED"


def test_two_accounts_do_not_see_each_other(
    account: Any, other_account: Any, tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    for index, each in enumerate((account, other_account)):
        machine = Machine(each, tmp_path / str(index), eventually)
        each.client("sagemaker").create_model_package_group(ModelPackageGroupName="cars")
        assert machine.run("good")["status"] == "SUCCEEDED"
    for each in (account, other_account):
        (job,) = each.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
        assert job["TrainingJobArn"].split(":")[4] == each.account_id


def test_a_glue_run_is_waited_for_and_its_failure_is_the_executions(
    account: Any, eventually: Callable[..., Any]
) -> None:
    bucket = account.bucket()
    account.client("s3").put_object(Bucket=bucket, Key="ingest.py", Body=GLUE_SCRIPT)
    command = {"Name": "glueetl", "ScriptLocation": f"s3://{bucket}/ingest.py"}
    account.client("glue").create_job(Name="ingest", Role=account.role(), Command=command)
    parameters = {"JobName": "ingest", "Arguments": {"--mode.$": "$.mode"}}
    definition = {"StartAt": "Ingest", "States": {"Ingest": task("glue:startJobRun.sync", parameters, "$.run", None)}}
    states = account.client("stepfunctions")
    arn = states.create_state_machine(name="glue", definition=json.dumps(definition), roleArn=account.role("pipeline"))[
        "stateMachineArn"
    ]

    def run(mode: str) -> Any:
        content = json.dumps({"mode": mode})
        execution = states.start_execution(stateMachineArn=arn, name=mode, input=content)["executionArn"]
        described = lambda: states.describe_execution(executionArn=execution)  # noqa: E731
        return eventually(lambda: described() if described()["status"] != "RUNNING" else None)

    good = run("good")
    assert good["status"] == "SUCCEEDED", good.get("cause")
    assert json.loads(good["output"])["run"]["JobRunState"] == "SUCCEEDED"
    bad = run("bad")
    assert (bad["status"], bad["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(bad["cause"])["ErrorMessage"] == "ValueError: column mpg is missing"
    hanging = states.start_execution(stateMachineArn=arn, name="hang", input='{"mode": "hang"}')["executionArn"]
    glue = account.client("glue")

    def last_run() -> str:
        runs = glue.get_job_runs(JobName="ingest")["JobRuns"]
        return runs[-1]["JobRunState"] if len(runs) == 3 else ""

    eventually(lambda: last_run() == "RUNNING")
    states.stop_execution(executionArn=hanging)
    assert eventually(lambda: last_run() == "STOPPED")
