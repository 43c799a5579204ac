"""Training jobs run the image's entrypoint with SageMaker's contract, and end as SageMaker's do."""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.aws.processes import start_time

pytestmark = pytest.mark.slow

SOURCE = """
import json, os, pathlib, signal, subprocess, sys, time
base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
read = lambda name: json.loads((base / "input/config" / name).read_text())
hyper = read("hyperparameters.json")
data = base / "input/data"
mode = hyper.get("mode", "good")
print("mode", mode, "arguments", sys.argv[1:], flush=True)
checkpoints = base / "checkpoints"
if mode == "raise":
    (base / "output").mkdir(exist_ok=True)
    (base / "output/failure").write_text("the loss is not a number")
    raise ValueError("the loss is not a number")
if mode == "exit":
    print("out of patience", flush=True)
    sys.exit(3)
if mode == "kill":
    checkpoints.mkdir(exist_ok=True)
    (checkpoints / "step").write_text("7")
    os.kill(os.getpid(), signal.SIGKILL)
if mode == "hang":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    print("child", child.pid, flush=True)
    time.sleep(300)
if mode == "polite":
    def leave(number, frame):
        (base / "model/half.txt").write_text("half")
        sys.exit(0)
    signal.signal(signal.SIGTERM, leave)
    print("ready", flush=True)
    time.sleep(300)
print("validation mae=1.75;", flush=True)
found = {
    "arguments": sys.argv[1:],
    "hyper": hyper,
    "channels": read("inputdataconfig.json"),
    "resources": read("resourceconfig.json"),
    "data": sorted(p.relative_to(data).as_posix() for p in data.rglob("*") if p.is_file()),
    "resumed": (checkpoints / "step").read_text() if (checkpoints / "step").exists() else None,
    "environment": sorted(os.environ),
    "commit": os.environ["GIT_COMMIT"],
    "identity": __import__("boto3").client("sts").get_caller_identity()["Arn"],
    "models": __import__("importlib").util.find_spec("infra") is not None,
}
(base / "model/found.json").write_text(json.dumps(found))
(base / "output/data/note.txt").write_text("kept")
"""


def request(account: Any, image: str, bucket: str, name: str, mode: str = "good", **more: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": image,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "validation:mae", "Regex": "validation mae=([0-9.]+);"}],
        },
        "RoleArn": account.role(),
        "HyperParameters": {"mode": mode, "epochs": "3"},
        "InputDataConfig": [
            {
                "ChannelName": "dataset",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/exports/one/"}},
            }
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models/"},
        "ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **more,
    }


@pytest.fixture
def bucket(account: Any) -> str:
    name = account.bucket()
    account.client("s3").put_object(Bucket=name, Key="exports/one/deep/train.csv", Body=b"a,b\n1,2\n")
    return name


@pytest.fixture
def image(account: Any, tmp_path: Path) -> str:
    return account.image(tmp_path, SOURCE)


def finished(account: Any, name: str, eventually: Callable[..., Any]) -> dict[str, Any]:
    sagemaker = account.client("sagemaker")

    def look() -> Any:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        return job if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None

    return eventually(look, seconds=120)


def test_a_good_job_is_completed_and_leaves_its_artefact(
    account: Any, bucket: str, image: str, eventually: Callable[..., Any]
) -> None:
    sagemaker, s3 = account.client("sagemaker"), account.client("s3")
    sagemaker.create_training_job(
        **request(
            account,
            image,
            bucket,
            "good-1",
            EnableManagedSpotTraining=True,
            StoppingCondition={"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120},
            Tags=[{"Key": "team", "Value": "cars"}],
        )
    )
    job = finished(account, "good-1", eventually)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["SecondaryStatus"] == "Completed"
    statuses = [entry["Status"] for entry in job["SecondaryStatusTransitions"]]
    assert statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert job["FinalMetricDataList"][0]["MetricName"] == "validation:mae"
    assert job["FinalMetricDataList"][0]["Value"] == pytest.approx(1.75)
    artefact = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert artefact == f"s3://{bucket}/models/good-1/output/model.tar.gz"
    packed = s3.get_object(Bucket=bucket, Key="models/good-1/output/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        assert [(entry.name, entry.mtime) for entry in archive.getmembers()] == [("found.json", 0)]
        content = archive.extractfile("found.json")
        assert content is not None
        found = json.load(content)
    assert found["arguments"] == ["train"]
    assert found["hyper"] == {"mode": "good", "epochs": "3"}
    assert found["channels"]["dataset"]["TrainingInputMode"] == "File"
    assert found["resources"]["hosts"] == ["algo-1"]
    assert found["data"] == ["dataset/deep/train.csv"]
    assert found["commit"] == "abc"
    assert f":sts::{account.account_id}:assumed-role/job/" in found["identity"]
    assert found["models"] is False, "the checkout's own packages are not in the image"
    assert "PULUMI_CONFIG_PASSPHRASE" not in found["environment"]
    assert s3.head_object(Bucket=bucket, Key="models/good-1/output/output.tar.gz")["ContentLength"] > 0
    assert sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"] == [{"Key": "team", "Value": "cars"}]
    listed = sagemaker.list_training_jobs(NameContains="good")["TrainingJobSummaries"]
    assert [entry["TrainingJobStatus"] for entry in listed] == ["Completed"]


def test_its_log_is_in_cloudwatch(account: Any, bucket: str, image: str, eventually: Callable[..., Any]) -> None:
    account.client("sagemaker").create_training_job(**request(account, image, bucket, "logged"))
    finished(account, "logged", eventually)
    logs = account.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="logged/algo-1-")["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=streams[0]["logStreamName"])["events"]
    assert [event["message"] for event in events] == ["mode good arguments ['train']", "validation mae=1.75;"]


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("raise", "AlgorithmError: the loss is not a number, exit code: 1"),
        ("exit", "AlgorithmError: out of patience, exit code: 3"),
        ("kill", "AlgorithmError: mode kill arguments ['train'], exit code: 137"),
    ],
)
def test_a_job_that_fails_says_why(
    account: Any, bucket: str, image: str, eventually: Callable[..., Any], mode: str, reason: str
) -> None:
    account.client("sagemaker").create_training_job(**request(account, image, bucket, f"bad-{mode}", mode))
    job = finished(account, f"bad-{mode}", eventually)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Failed", "Failed")
    assert job["FailureReason"] == reason
    assert "ModelArtifacts" not in job or "S3ModelArtifacts" not in job["ModelArtifacts"]


def test_a_killed_job_is_resumed_from_its_checkpoint(
    account: Any, bucket: str, image: str, eventually: Callable[..., Any]
) -> None:
    sagemaker = account.client("sagemaker")
    checkpoints: Any = {"CheckpointConfig": {"S3Uri": f"s3://{bucket}/checkpoints/run/"}}
    sagemaker.create_training_job(**request(account, image, bucket, "first", "kill", **checkpoints))
    assert finished(account, "first", eventually)["TrainingJobStatus"] == "Failed"
    sagemaker.create_training_job(**request(account, image, bucket, "second", **checkpoints))
    assert finished(account, "second", eventually)["TrainingJobStatus"] == "Completed"
    packed = account.client("s3").get_object(Bucket=bucket, Key="models/second/output/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        content = archive.extractfile("found.json")
        assert content is not None
        assert json.load(content)["resumed"] == "7"


def test_a_job_past_its_limit_is_stopped_and_leaves_nothing_running(
    account: Any, bucket: str, image: str, eventually: Callable[..., Any]
) -> None:
    for limit in (1, 10, 60):  # the first in which the job came as far as to start a process of its own
        name = f"slow-{limit}"
        stopping: Any = {"StoppingCondition": {"MaxRuntimeInSeconds": limit}}
        account.client("sagemaker").create_training_job(**request(account, image, bucket, name, "hang", **stopping))
        job = finished(account, name, eventually)
        assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")
        log = account.rehearsal.state_dir / "jobs" / account.account_id / name / "log.txt"
        if log.exists() and "child " in log.read_text():
            break
    child = int(log.read_text().split("child ")[1].split()[0])
    eventually(lambda: start_time(child) is None)


def test_stop_gives_the_job_time_to_leave(
    account: Any, bucket: str, image: str, eventually: Callable[..., Any]
) -> None:
    sagemaker = account.client("sagemaker")
    sagemaker.create_training_job(**request(account, image, bucket, "polite", "polite"))
    log = account.rehearsal.state_dir / "jobs" / account.account_id / "polite" / "log.txt"
    eventually(lambda: log.exists() and "ready" in log.read_text())
    sagemaker.stop_training_job(TrainingJobName="polite")
    job = finished(account, "polite", eventually)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith("/polite/output/model.tar.gz")


def test_what_sagemaker_refuses_is_refused(
    account: Any, bucket: str, image: str, eventually: Callable[..., Any]
) -> None:
    sagemaker = account.client("sagemaker")
    sagemaker.create_training_job(**request(account, image, bucket, "twice"))
    with pytest.raises(ClientError, match=r"ResourceInUse.*already exists"):
        sagemaker.create_training_job(**request(account, image, bucket, "twice"))
    with pytest.raises(ClientError, match=r"trainingJobName.*regular expression"):
        sagemaker.create_training_job(**request(account, image, bucket, "no_underscores"))
    wrong: Any = {"ResourceConfig": {"InstanceType": "ml.wrong.large", "InstanceCount": 1, "VolumeSizeInGB": 1}}
    with pytest.raises(ClientError, match=r"instanceType.*enum value set"):
        sagemaker.create_training_job(**request(account, image, bucket, "wrong-type", **wrong))
    nobody: Any = {"RoleArn": f"arn:aws:iam::{account.account_id}:role/nobody"}
    with pytest.raises(ClientError, match=r"Could not assume role.*nobody"):
        sagemaker.create_training_job(**request(account, image, bucket, "no-role", **nobody))
    with pytest.raises(ClientError, match="Requested resource not found"):
        sagemaker.describe_training_job(TrainingJobName="never")
    finished(account, "twice", eventually)


def test_an_image_that_was_never_pushed_and_a_channel_without_data_fail_the_job(
    account: Any, bucket: str, image: str, eventually: Callable[..., Any]
) -> None:
    sagemaker = account.client("sagemaker")
    unknown = image.rpartition(":")[0] + ":" + "0" * 64
    sagemaker.create_training_job(**request(account, unknown, bucket, "unknown-image"))
    job = finished(account, "unknown-image", eventually)
    assert job["FailureReason"] == f"ClientError: image {unknown} does not exist: push it first"
    empty = request(account, image, bucket, "no-data")
    empty["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{bucket}/nothing/"
    sagemaker.create_training_job(**empty)
    job = finished(account, "no-data", eventually)
    assert "Data download failed for channel dataset: No S3 objects found" in job["FailureReason"]
