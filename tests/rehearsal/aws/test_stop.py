"""When the server stops, every job and endpoint that it started stops with it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rehearsal import server
from rehearsal.aws.processes import start_time

pytestmark = pytest.mark.slow

SOURCE = """
import os, signal, subprocess, sys, time
if sys.argv[1] == "serve":
    import http.server
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
    address = os.environ["SERVING_HOST"], int(os.environ["SAGEMAKER_BIND_TO_PORT"])
    http.server.HTTPServer(address, Handler).serve_forever()
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
print("child", child.pid, flush=True)
time.sleep(300)
"""


def start_everything(account: Any, folder: Path) -> None:
    bucket, image, role = account.bucket(), account.image(folder, SOURCE), account.role()
    sagemaker = account.client("sagemaker")
    sagemaker.create_training_job(
        TrainingJobName="hang",
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": "File"},
        RoleArn=role,
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/models/"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    sagemaker.create_model(ModelName="cars", ExecutionRoleArn=role, PrimaryContainer={"Image": image})
    variant = {"VariantName": "all", "ModelName": "cars", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="cars", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="cars", EndpointConfigName="cars")


def test_nothing_is_left(
    tmp_path: Path, account_of: Callable[[server.Rehearsal], Any], eventually: Callable[..., Any]
) -> None:
    state = tmp_path / "state"
    rehearsal = server.start(state)
    try:
        account = account_of(rehearsal)
        start_everything(account, tmp_path)
        log = state / "jobs" / account.account_id / "hang" / "log.txt"
        eventually(lambda: log.exists() and "child" in log.read_text())
        eventually(rehearsal.endpoints)
        noted = [int(json.loads(note.read_text())["pid"]) for note in (state / "processes").glob("*.json")]
        pids = [*noted, int(log.read_text().split()[1])]
        assert len(pids) == 3
        assert all(start_time(pid) for pid in pids)
    finally:
        rehearsal.stop()
    assert [pid for pid in (*pids, rehearsal.pid) if start_time(pid) is not None] == []
    assert list((state / "processes").glob("*.json")) == []
