"""Transform jobs run the model's container over every object, and end as SageMaker's do."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.aws import archives

pytestmark = pytest.mark.slow

SOURCE = """
import http.server, json, os, pathlib, sys, threading
model = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"]) / "model"
if os.environ.get("BROKEN"):
    sys.exit("manifest does not match: refusing to serve")
factor = float((model / "factor.txt").read_text())
tries = {}
busy, most = 0, 0
lock = threading.Lock()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200 if self.path == "/ping" else 404, b"")
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        tries[body] = tries.get(body, 0) + 1
        said = ["asked", len(body.splitlines()), self.headers["Content-Type"], os.environ["SAGEMAKER_BATCH"],
                os.environ.get("SAGEMAKER_MAX_PAYLOAD_IN_MB"), os.environ.get("EXTRA")]
        os.write(1, (" ".join(map(str, said)) + "\\n").encode())  # at once: two may ask at the same time
        if "bad" in body:
            return self.answer(400, b'{"error": "row 1, field weight"}')
        if "slow" in body:
            threading.Event().wait(0.3)
        if "flaky" in body and tries[body] < 3:
            return self.answer(500, b"not yet")
        numbers = [line.split(",")[-1] for line in body.splitlines()]
        self.answer(200, "".join(f"{float(n) * factor}\\n" for n in numbers).encode())
    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
address = os.environ["SERVING_HOST"], int(os.environ["SAGEMAKER_BIND_TO_PORT"])
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
"""


class Stage:
    """A model that multiplies the last column, in one account."""

    def __init__(self, account: Any, folder: Path, eventually: Callable[..., Any]) -> None:
        self.account, self.eventually = account, eventually
        self.sagemaker, self.s3 = account.client("sagemaker"), account.client("s3")
        self.bucket = account.bucket()
        self.role = account.role("model")
        self.image = account.image(folder, SOURCE)
        (folder / "factor.txt").write_text("2")
        self.put("model/model.tar.gz", archives.pack(folder, [Path("factor.txt")]))
        self.model("doubling")

    def model(self, name: str, **environment: str) -> None:
        self.sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=self.role,
            PrimaryContainer={
                "Image": self.image,
                "ModelDataUrl": f"s3://{self.bucket}/model/model.tar.gz",
                "Environment": environment,
            },
        )

    def put(self, key: str, content: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)

    def output(self, key: str) -> str:
        return self.s3.get_object(Bucket=self.bucket, Key=f"out/{key}.out")["Body"].read().decode()

    def keys(self, prefix: str = "out/") -> list[str]:
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for entry in listed.get("Contents", [])]

    def start(self, name: str, **more: Any) -> None:
        source = {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{self.bucket}/in/"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
            **more.pop("source", {}),
        }
        request = {
            "TransformJobName": name,
            "ModelName": "doubling",
            "TransformInput": source,
            "TransformOutput": {
                "S3OutputPath": f"s3://{self.bucket}/out/",
                "Accept": "text/csv",
                "AssembleWith": "Line",
            },
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
            **more,
        }
        self.sagemaker.create_transform_job(**request)

    def ended(self, name: str, **more: Any) -> dict[str, Any]:
        if more.pop("begin", True):
            self.start(name, **more)

        def look() -> Any:
            job = self.sagemaker.describe_transform_job(TransformJobName=name)
            return job if job["TransformJobStatus"] in ("Completed", "Failed", "Stopped") else None

        return self.eventually(look)

    def log(self, name: str, *, data: bool = False) -> list[str]:
        logs, group = self.account.client("logs"), "/aws/sagemaker/TransformJobs"
        found = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{name}/")["logStreams"]
        streams = [each["logStreamName"] for each in found if each["logStreamName"].endswith("/data-log") is data]
        events = logs.get_log_events(logGroupName=group, logStreamName=streams[0])["events"]
        return [event["message"] for event in events]


@pytest.fixture
def stage(account: Any, tmp_path: Path, eventually: Callable[..., Any]) -> Stage:
    return Stage(account, tmp_path, eventually)


def test_every_object_is_transformed(stage: Stage) -> None:
    stage.put("in/a.csv", b"1\n2\n3\n")
    stage.put("in/deep/b.csv", b"4\n")
    job = stage.ended("all", Environment={"EXTRA": "yes"}, Tags=[{"Key": "team", "Value": "cars"}])
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert job["TransformEndTime"] >= job["TransformStartTime"]
    assert stage.keys() == ["out/a.csv.out", "out/deep/b.csv.out"]
    assert (stage.output("a.csv"), stage.output("deep/b.csv")) == ("2.0\n4.0\n6.0\n", "8.0\n")
    assert stage.log("all") == ["asked 3 text/csv true None yes", "asked 1 text/csv true None yes"]
    assert "BatchStrategy=MULTI_RECORD" in stage.log("all", data=True)[0]
    (listed,) = stage.sagemaker.list_transform_jobs(NameContains="al")["TransformJobSummaries"]
    assert (listed["TransformJobName"], listed["TransformJobStatus"]) == ("all", "Completed")
    tags = stage.sagemaker.list_tags(ResourceArn=job["TransformJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "cars"}]


def test_a_joined_and_filtered_job_keeps_keys_beside_predictions(stage: Stage) -> None:
    stage.put("in/a.csv.gz", gzip.compress(b"k1,x,1\nk2,y,2\n"))
    job = stage.ended(
        "joined",
        source={"CompressionType": "Gzip"},
        DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
        BatchStrategy="SingleRecord",
        MaxConcurrentTransforms=2,
        MaxPayloadInMB=1,
    )
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert stage.output("a.csv.gz") == "k1,2.0\nk2,4.0\n"
    assert stage.log("joined") == ["asked 1 text/csv true 1 None"] * 2


def test_a_manifest_names_the_objects(stage: Stage) -> None:
    stage.put("in/a.csv", b"1\n")
    stage.put("in/b.csv", b"2\n")
    stage.put("list.json", json.dumps([{"prefix": f"s3://{stage.bucket}/in/"}, "b.csv"]).encode())
    where = {"S3DataType": "ManifestFile", "S3Uri": f"s3://{stage.bucket}/list.json"}
    stage.ended("listed", source={"DataSource": {"S3DataSource": where}})
    assert stage.keys() == ["out/b.csv.out"]
    stage.put("list.json", b'{"prefix": 1}')
    job = stage.ended("unlisted", source={"DataSource": {"S3DataSource": where}})
    assert "is no manifest" in job["FailureReason"]


def test_a_bad_record_fails_the_job_and_leaves_the_other_objects(stage: Stage) -> None:
    stage.put("in/a.csv", b"1\nbad\n")
    stage.put("in/b.csv", b"2\n")
    job = stage.ended("spoilt")
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"] == "ClientError: See job logs for more information (1 of 2)"
    assert stage.keys() == ["out/b.csv.out"]
    assert stage.log("spoilt", data=True)[1:] == [
        f"{stage.bucket}/in/a.csv: ClientError: 400",
        f"{stage.bucket}/in/a.csv: Message:",
        f'{stage.bucket}/in/a.csv: {{"error": "row 1, field weight"}}',
    ]


def test_a_request_is_tried_again_as_often_as_asked(stage: Stage) -> None:
    stage.put("in/a.csv", b"flaky,1\n")
    job = stage.ended("patient", ModelClientConfig={"InvocationsMaxRetries": 2})
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    stage.put("in/a.csv", b"flaky,2\n")
    job = stage.ended("hasty", ModelClientConfig={"InvocationsMaxRetries": 1})
    assert (job["TransformJobStatus"], stage.log("hasty", data=True)[1][-15:]) == ("Failed", "ModelError: 500")


def test_a_stopped_job_is_stopped(stage: Stage) -> None:
    stage.put("in/a.csv", b"slow,1\n" * 200)
    stage.start("long", BatchStrategy="SingleRecord")
    stage.eventually(lambda: stage.sagemaker.describe_transform_job(TransformJobName="long").get("TransformStartTime"))
    stage.sagemaker.stop_transform_job(TransformJobName="long")
    assert stage.ended("long", begin=False)["TransformJobStatus"] == "Stopped"
    assert stage.keys() == []
    with pytest.raises(ClientError, match="in status Stopped"):
        stage.sagemaker.stop_transform_job(TransformJobName="long")


def test_what_cannot_be_started_says_why(stage: Stage) -> None:
    assert "No S3 objects found" in stage.ended("empty")["FailureReason"]
    stage.put("in/a.csv", b"1\n")
    stage.model("broken", BROKEN="1")
    reason = stage.ended("unhealthy", ModelName="broken")["FailureReason"]
    assert "manifest does not match: refusing to serve" in reason
    for more, message in (
        ({"ModelName": "nobody"}, "Could not find model"),
        ({"BatchStrategy": "Some"}, "enum value set"),
        ({"source": {"SplitType": "TFRecord"}}, "not rehearsed"),
        ({"DataProcessing": {"InputFilter": "id"}}, "does not begin with"),
        ({"TransformJobName": "empty"}, "already exists"),
    ):
        with pytest.raises(ClientError, match=message):
            stage.start("refused", **more)


def test_the_model_s_role_reads_and_writes(stage: Stage) -> None:
    stage.put("in/a.csv", b"1\n")
    stage.account.role("model", allowed="s3:Get*")
    reason = stage.ended("denied")["FailureReason"]
    assert "AccessDenied" in reason
    assert stage.keys() == []


def test_a_state_machine_waits_for_it(stage: Stage) -> None:
    stage.put("in/a.csv", b"1\n")
    states = stage.account.client("stepfunctions")
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createTransformJob.sync",
        "Parameters": {
            "TransformJobName.$": "$.name",
            "ModelName": "doubling",
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{stage.bucket}/in/"}},
                "ContentType": "text/csv",
                "SplitType": "Line",
            },
            "TransformOutput": {"S3OutputPath": f"s3://{stage.bucket}/out/"},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        },
        "End": True,
    }
    machine = states.create_state_machine(
        name="transform",
        definition=json.dumps({"StartAt": "Transform", "States": {"Transform": task}}),
        roleArn=stage.account.role("pipeline"),
    )["stateMachineArn"]

    def run(name: str) -> dict[str, Any]:
        content = json.dumps({"name": name})
        arn = states.start_execution(stateMachineArn=machine, name=name, input=content)["executionArn"]

        def look() -> Any:
            found = states.describe_execution(executionArn=arn)
            return found if found["status"] != "RUNNING" else None

        return stage.eventually(look)

    done = run("good")
    assert done["status"] == "SUCCEEDED", done.get("cause")
    assert json.loads(done["output"])["TransformJobStatus"] == "Completed"
    stage.put("in/a.csv", b"bad\n")
    failed = run("spoilt")
    assert (failed["status"], failed["error"]) == ("FAILED", "States.TaskFailed")
    assert "See job logs" in failed["cause"]
