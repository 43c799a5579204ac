"""Endpoints serve the container's answers, change blue-green, and keep the old fleet when the new one fails."""

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.aws import archives
from rehearsal.aws.processes import start_time

pytestmark = pytest.mark.slow

SOURCE = """
import http.server, json, os, pathlib, sys
model = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"]) / "model"
if (model / "broken").exists():
    sys.exit("manifest does not match: refusing to serve")
held = model / "held.txt"
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        waits = held.exists() and not pathlib.Path(held.read_text()).exists()
        self.answer(503 if waits else 200, b"")
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"bad":
            return self.answer(415, b'{"error": "field mpg"}')
        if body == b"die":
            os._exit(9)
        self.answer(200, json.dumps({
            "weights": (model / "weights.txt").read_text(), "type": self.headers["Content-Type"],
            "accept": self.headers["Accept"], "size": len(body), "release": os.environ.get("RELEASE"),
            "arguments": sys.argv[1:]}).encode())
    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        print(self.command, self.path, flush=True)
address = os.environ["SERVING_HOST"], int(os.environ["SAGEMAKER_BIND_TO_PORT"])
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
"""


class Stage:
    """Makes models, configurations and endpoints of one account."""

    def __init__(self, account: Any, folder: Path, eventually: Callable[..., Any]) -> None:
        self.account, self.folder, self.eventually = account, folder, eventually
        self.sagemaker = account.client("sagemaker")
        self.runtime = account.client("sagemaker-runtime")
        self.bucket = account.bucket()
        self.image = account.image(folder, SOURCE)

    def configuration(self, name: str, files: dict[str, str], **more: Any) -> None:
        folder = self.folder / name
        folder.mkdir()
        for file, content in files.items():
            (folder / file).write_text(content)
        packed = archives.pack(folder, [Path(file) for file in files])
        self.account.client("s3").put_object(Bucket=self.bucket, Key=f"{name}/model.tar.gz", Body=packed)
        self.sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=self.account.role("endpoint"),
            PrimaryContainer={
                "Image": self.image,
                "ModelDataUrl": f"s3://{self.bucket}/{name}/model.tar.gz",
                "Environment": {"RELEASE": name},
            },
        )
        variant = {"VariantName": "all", "ModelName": name, **more.pop("variant", instances("ml.m7i.large", 2))}
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], **more)

    def settled(self, name: str = "cars") -> dict[str, Any]:
        def look() -> Any:
            found = self.sagemaker.describe_endpoint(EndpointName=name)
            return found if found["EndpointStatus"] not in ("Creating", "Updating") else None

        return self.eventually(look)

    def invoke(self, body: bytes = b"{}", name: str = "cars") -> Any:
        answer = self.runtime.invoke_endpoint(
            EndpointName=name, Body=body, ContentType="application/json", Accept="text/csv"
        )
        return json.loads(answer["Body"].read())

    def serving(self) -> dict[str, Any]:
        """The one process that serves in the account."""
        (found,) = [each for each in self.account.rehearsal.endpoints() if each["account"] == self.account.account_id]
        return found


def instances(kind: str, count: int) -> dict[str, Any]:
    return {"InstanceType": kind, "InitialInstanceCount": count, "InitialVariantWeight": 1.0}


@pytest.fixture
def stage(account: Any, tmp_path: Path, eventually: Callable[..., Any]) -> Any:
    return Stage(account, tmp_path, eventually)


def test_an_endpoint_serves_its_artefact(stage: Stage) -> None:
    stage.configuration("first", {"weights.txt": "one"})
    stage.sagemaker.create_endpoint(EndpointName="cars", EndpointConfigName="first", Tags=[{"Key": "a", "Value": "b"}])
    found = stage.settled()
    assert (found["EndpointStatus"], found.get("FailureReason")) == ("InService", None)
    (variant,) = found["ProductionVariants"]
    assert variant["CurrentInstanceCount"] == 2
    assert variant["DeployedImages"][0]["ResolvedImage"] == stage.image
    assert stage.invoke(b"\xff\xfe\x00") == {
        "weights": "one",
        "type": "application/json",
        "accept": "text/csv",
        "size": 3,
        "release": "first",
        "arguments": ["serve"],
    }
    serving = stage.serving()
    assert (serving["endpoint"], serving["model"]) == ("cars", "first")
    with urllib.request.urlopen(f"{serving['url']}/ping", timeout=30) as ping:
        assert ping.status == 200
    assert stage.sagemaker.list_endpoints()["Endpoints"][0]["EndpointStatus"] == "InService"
    assert stage.sagemaker.list_tags(ResourceArn=found["EndpointArn"])["Tags"] == [{"Key": "a", "Value": "b"}]


def test_an_error_of_the_container_is_a_model_error(stage: Stage) -> None:
    stage.configuration("first", {"weights.txt": "one"})
    stage.sagemaker.create_endpoint(EndpointName="cars", EndpointConfigName="first")
    stage.settled()
    with pytest.raises(ClientError) as caught:
        stage.invoke(b"bad")
    answer: Any = caught.value.response
    assert answer["Error"]["Code"] == "ModelError"
    assert answer["OriginalStatusCode"] == 415
    assert answer["OriginalMessage"] == '{"error": "field mpg"}'
    with pytest.raises(ClientError, match=r"ValidationError.*Endpoint boats of account \d+ not found"):
        stage.invoke(name="boats")


def test_an_update_moves_to_the_new_fleet_and_a_failed_one_keeps_the_old(stage: Stage) -> None:
    let_in = stage.folder / "let-in"
    stage.configuration("first", {"weights.txt": "one"})
    stage.configuration("second", {"weights.txt": "two", "held.txt": str(let_in)})
    stage.configuration("bad", {"broken": ""})
    stage.sagemaker.create_endpoint(EndpointName="cars", EndpointConfigName="first")
    stage.settled()
    old = stage.serving()["pid"]
    stage.sagemaker.update_endpoint(EndpointName="cars", EndpointConfigName="second")
    with pytest.raises(ClientError, match="in-progress"):
        stage.sagemaker.update_endpoint(EndpointName="cars", EndpointConfigName="first")
    assert stage.invoke()["weights"] == "one"
    let_in.touch()
    assert stage.settled()["EndpointConfigName"] == "second"
    assert stage.invoke()["weights"] == "two"
    stage.eventually(lambda: start_time(old) is None)
    stage.sagemaker.update_endpoint(EndpointName="cars", EndpointConfigName="bad")
    found = stage.settled()
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "second")
    assert "manifest does not match: refusing to serve" in found["FailureReason"]
    assert stage.invoke()["weights"] == "two"


def test_an_endpoint_that_never_came_up_is_failed(stage: Stage) -> None:
    stage.configuration("bad", {"broken": ""})
    stage.sagemaker.create_endpoint(EndpointName="cars", EndpointConfigName="bad")
    found = stage.settled()
    assert found["EndpointStatus"] == "Failed"
    assert "refusing to serve" in found["FailureReason"]
    with pytest.raises(ClientError, match="not in service"):
        stage.invoke()


def test_a_container_that_dies_is_started_again(stage: Stage) -> None:
    stage.configuration("first", {"weights.txt": "one"})
    stage.sagemaker.create_endpoint(EndpointName="cars", EndpointConfigName="first")
    stage.settled()
    with pytest.raises(ClientError, match="ModelError"):
        stage.invoke(b"die")

    def served() -> bool:
        try:
            return stage.invoke()["weights"] == "one"
        except ClientError:
            return False

    assert stage.eventually(served)


def test_a_deleted_endpoint_leaves_nothing(stage: Stage) -> None:
    stage.configuration("first", {"weights.txt": "one"})
    stage.sagemaker.create_endpoint(EndpointName="cars", EndpointConfigName="first")
    stage.settled()
    pid = stage.serving()["pid"]
    assert start_time(pid) is not None
    stage.sagemaker.delete_endpoint(EndpointName="cars")
    assert start_time(pid) is None
    with pytest.raises(ClientError, match="Could not find endpoint"):
        stage.sagemaker.describe_endpoint(EndpointName="cars")


def test_a_configuration_is_kept_whole(stage: Stage) -> None:
    whole = {
        "variant": {"ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}},
        "DataCaptureConfig": {
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": "s3://somewhere/capture",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        },
        "EnableNetworkIsolation": True,
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
    }
    stage.configuration("whole", {"weights.txt": "one"}, **whole)
    found = stage.sagemaker.describe_endpoint_config(EndpointConfigName="whole")
    assert found["ProductionVariants"][0]["ServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    assert found["DataCaptureConfig"]["InitialSamplingPercentage"] == 100
    assert found["EnableNetworkIsolation"] is True
    assert found["VpcConfig"]["Subnets"] == ["subnet-1"]
    with pytest.raises(ClientError, match=r"instanceType.*enum value set"):
        stage.configuration("odd", {"weights.txt": "one"}, variant=instances("ml.odd.large", 1))
