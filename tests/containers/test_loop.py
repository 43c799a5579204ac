"""The whole loop, with every job and endpoint of SageMaker in containers, by the command line in a copy.

One rehearsal is brought up for the tests of this file, asked, and killed outright: `down` then leaves nothing.
"""

import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.settings import load_settings
from rehearsal import server
from rehearsal.containers.build import BuiltImage
from rehearsal.containers.engine import LABEL, Engine
from tests.containers.conftest import drivetrain
from tests.e2e.checkout import copy_checkout

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ENDED = ("Completed", "Failed", "Stopped")


@dataclass(frozen=True, kw_only=True)
class Loop:
    folder: Path
    said: str

    @property
    def state(self) -> Path:
        return self.folder / ".local" / "default"

    def client(self, service: str) -> Any:
        running = server.running(self.state)
        assert running is not None
        settings = load_settings(self.folder, "local")
        known = running.environment(settings.account_id, settings.region)
        session: Any = boto3.Session(
            aws_access_key_id=known["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=known["AWS_SECRET_ACCESS_KEY"],
            region_name=known["AWS_REGION"],
        )
        return session.client(service, endpoint_url=known["AWS_ENDPOINT_URL"])

    def ended(self, sagemaker: Any, job: str, seconds: float = 180) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = sagemaker.describe_training_job(TrainingJobName=job)
            if found["TrainingJobStatus"] in ENDED:
                return found
            time.sleep(0.1)
        raise AssertionError(f"{job} has not ended after {seconds} s")


@pytest.fixture(scope="module")
def loop(
    tmp_path_factory: pytest.TempPathFactory, serving_image: BuiltImage, training_image: BuiltImage
) -> Iterator[Loop]:
    copied = copy_checkout(tmp_path_factory.mktemp("loop"))
    try:
        done = drivetrain(copied.path, "local", "up", "--containers")
        assert done.returncode == 0, done.stdout + done.stderr
        yield Loop(folder=copied.path, said=done.stdout)
    finally:
        drivetrain(copied.path, "local", "down")


def again(sagemaker: Any, name: str, **hyperparameters: str) -> dict[str, Any]:
    """The request of the job that the pipeline ran, under another name."""
    first = sagemaker.list_training_jobs()["TrainingJobSummaries"][0]["TrainingJobName"]
    found = sagemaker.describe_training_job(TrainingJobName=first)
    taken = ("AlgorithmSpecification", "RoleArn", "InputDataConfig", "OutputDataConfig", "ResourceConfig")
    return {
        **{key: found[key] for key in (*taken, "StoppingCondition")},
        "TrainingJobName": name,
        "HyperParameters": {**found["HyperParameters"], **hyperparameters},
    }


def started(engine: Engine, loop: Loop) -> list[str]:
    """The images of the containers that the rehearsal has made, in their order."""
    wanted = ("event=create", f"label={LABEL}={loop.state}")
    filters = (word for each in wanted for word in ("--filter", each))
    return engine.call("events", "--stream=false", *filters, "--format", "{{.Image}}").split()


def test_the_whole_loop_runs_in_containers(loop: Loop, engine: Engine) -> None:
    assert "build the images (podman; Glue jobs and the state machine stay processes)" in loop.said
    assert "ask auto-mpg for a prediction" in loop.said
    predicted = drivetrain(loop.folder, "predict", "auto-mpg", "--json")
    assert predicted.returncode == 0, predicted.stderr
    assert 5 < json.loads(predicted.stdout)["predictions"][0] < 50
    (serving,) = engine.labelled(str(loop.state))
    found = json.loads(engine.call("container", "inspect", serving))[0]
    assert found["Config"]["User"] == "10001:10001"
    assert found["HostConfig"]["ReadonlyRootfs"] is True
    assert found["HostConfig"]["NetworkMode"] == "none", "the model is declared with network isolation"


def test_what_serves_is_the_image_that_the_registry_names(
    loop: Loop, engine: Engine, serving_image: BuiltImage
) -> None:
    ecr = loop.client("ecr")
    (repository,) = (
        name
        for name in (entry["repositoryName"] for entry in ecr.describe_repositories()["repositories"])
        if name.endswith("-serving")
    )
    digests = {entry["imageDigest"] for entry in ecr.list_images(repositoryName=repository)["imageIds"]}
    running = server.running(loop.state)
    assert running is not None
    (endpoint,) = running.endpoints()
    digest = endpoint["image"].partition("@")[2]
    assert digest in digests
    (serving,) = engine.labelled(str(loop.state))
    image = json.loads(engine.call("container", "inspect", serving))[0]["Image"]
    assert engine.inspect(image)["Digest"] == digest


def test_a_batch_is_predicted_in_a_container_of_its_own(loop: Loop, engine: Engine, serving_image: BuiltImage) -> None:
    before = started(engine, loop)
    done = drivetrain(loop.folder, "predict", "auto-mpg", "--batch", "curated", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["rows_read"], found["rows_predicted"], found["rows_rejected"]) == (398, 398, 0)
    job = loop.client("sagemaker").describe_transform_job(TransformJobName=found["job"])
    assert job["TransformJobStatus"] == "Completed"
    (added,) = started(engine, loop)[len(before) :]
    assert added.startswith(serving_image.name)
    assert len(engine.labelled(str(loop.state))) == 1, "the endpoint's; the job's is gone"


def test_up_again_changes_nothing(loop: Loop) -> None:
    done = drivetrain(loop.folder, "local", "up")
    assert done.returncode == 0, done.stderr
    assert "already up: nothing was changed" in done.stdout


def test_a_failure_in_a_container_is_the_reason_that_the_job_tells(loop: Loop, engine: Engine) -> None:
    sagemaker = loop.client("sagemaker")
    sagemaker.create_training_job(**again(sagemaker, "wrong-1", widht="64"))
    job = loop.ended(sagemaker, "wrong-1")
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: unknown hyperparameter 'widht'")
    assert job["FailureReason"].endswith("exit code: 1")
    logs = loop.client("logs")
    group = "/aws/sagemaker/TrainingJobs"
    (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="wrong-1/")["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    assert any("unknown hyperparameter" in event["message"] for event in events)
    assert len(engine.labelled(str(loop.state))) == 1, "the endpoint's; the job's is gone"


def test_a_stopped_job_leaves_no_container(loop: Loop, engine: Engine) -> None:
    sagemaker = loop.client("sagemaker")
    sagemaker.create_training_job(**again(sagemaker, "stopped-1", epochs="100000", patience="1000000"))
    logs, deadline = loop.client("logs"), time.monotonic() + 180
    said = {"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamNamePrefix": "stopped-1/"}
    # Before Python runs, the first process of a container hears no SIGTERM; SIGKILL follows after SageMaker's 120 s.
    while not logs.describe_log_streams(**said)["logStreams"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert len(engine.labelled(str(loop.state))) == 2
    sagemaker.stop_training_job(TrainingJobName="stopped-1")
    assert loop.ended(sagemaker, "stopped-1", seconds=300)["TrainingJobStatus"] == "Stopped"
    assert len(engine.labelled(str(loop.state))) == 1


def test_a_server_killed_outright_leaves_nothing_after_down(loop: Loop, engine: Engine) -> None:
    running = server.running(loop.state)
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    done = drivetrain(loop.folder, "local", "down")
    assert done.returncode == 0, done.stderr
    assert engine.labelled(str(loop.state)) == []
    assert not loop.state.exists()


def test_without_podman_it_is_said_how_to_get_it(tmp_path: Path, loop: Loop) -> None:
    done = drivetrain(loop.folder, "local", "up", "--containers", "--rehearsal", "other", PATH=str(tmp_path))
    assert done.returncode == 1
    assert "containers need podman" in done.stderr
    assert "apt-get install" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (loop.folder / ".local" / "other").exists()
