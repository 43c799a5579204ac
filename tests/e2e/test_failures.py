"""What goes wrong on a running platform: it is told with its reason, nothing comes of it, and what is live stays live.

A job that hangs is in tests/rehearsal/aws/test_states.py: the least limit that a model may have is a minute.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

from models.auto_mpg.source import fetch
from models.release import Release, load_releases, write_releases
from tests.e2e.checkout import Checkout, copy_checkout, quickly_trained

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
MODEL = "auto-mpg"
CAR = {
    "cylinders": 4,
    "displacement": 97,
    "horsepower": 46,
    "weight": 1835,
    "acceleration": 20.5,
    "model_year": 1970,
    "origin": "Europe",
}
HEADER = fetch().splitlines()[0].decode()
# A network that does, when it is built, what a file says; no file, no harm.
MOODY = """

_build = build


def build(*arguments):
    import os, pathlib, signal

    mood = pathlib.Path({mood!r})
    match mood.read_text() if mood.exists() else "":
        case "raise":
            raise ValueError("the price of oil is not a number")
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
    return _build(*arguments)
"""


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A platform with a released model, in a copy of the checkout."""

    checkout: Checkout
    client: Callable[[str], Any]

    @property
    def state_dir(self) -> Path:
        return self.checkout.path / ".local" / "default"

    @property
    def releases_file(self) -> Path:
        return self.state_dir / "releases" / "local.toml"

    @property
    def live(self) -> Release:
        return load_releases(self.releases_file)[MODEL]

    def put(self, name: str, *lines: str) -> str:
        """A file of that name; what to call it on the command line."""
        file = self.checkout.path / name
        file.write_text("".join(f"{line}\n" for line in lines))
        return str(file)

    def data(self, *options: str) -> dict[str, Any]:
        return json.loads(self.checkout.drivetrain("data", MODEL, "--json", *options).stdout)

    def outcome(self) -> dict[str, Any]:
        """All that a pipeline can bring about: model packages, proposals, the release."""
        names = self.checkout.names
        packages = self.client("sagemaker").list_model_packages(ModelPackageGroupName=names.package_group(MODEL))
        proposals = self.client("s3").list_objects_v2(Bucket=names.bucket("artifacts"), Prefix="proposals/")
        return {
            "packages": [each["ModelPackageArn"] for each in packages["ModelPackageSummaryList"]],
            "proposals": [each["Key"] for each in proposals["Contents"]],
            "release": self.releases_file.read_text(),
        }

    def trainings(self) -> int:
        return len(self.client("sagemaker").list_training_jobs(MaxResults=100)["TrainingJobSummaries"])

    @contextmanager
    def still_serving(self) -> Iterator[None]:
        """The model that is live answers every call that is made meanwhile."""
        release, answers, done = self.live.package, Counter[str](), threading.Event()
        runtime, endpoint = self.client("sagemaker-runtime"), self.checkout.names.endpoint(MODEL)

        def ask() -> None:
            while not answers or not done.wait(0.2):
                try:
                    answer = runtime.invoke_endpoint(
                        EndpointName=endpoint, Body=json.dumps(CAR), ContentType="application/json"
                    )
                    answers[json.loads(answer["Body"].read())["release"]] += 1
                except ClientError as error:
                    answers[str(error)] += 1

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            yield
        finally:
            done.set()
            asking.join()
        assert answers[release] > 0
        assert list(answers) == [release]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    copied = copy_checkout(tmp_path_factory.mktemp("failures"))
    folder = copied.path / "models" / "auto_mpg"
    network, spec = folder / "network.py", folder / "model.toml"
    network.write_text(network.read_text() + MOODY.format(mood=str(copied.path / "mood")))
    spec.write_text(quickly_trained(spec.read_text()))
    try:
        done = copied.drivetrain("local", "up")
        assert done.returncode == 0, done.stdout + done.stderr
        session = copied.session()
        yield Platform(checkout=copied, client=session)
    finally:
        copied.drivetrain("local", "down")


@pytest.fixture(scope="module")
def proposal(platform: Platform) -> dict[str, Any]:
    """A second release, proposed and not adopted, from rows that came later."""
    more = [f"ford model z,25.{n},4,140,75,{2500 + n},17,1974,USA" for n in range(12)]
    done = platform.checkout.drivetrain("ingest", MODEL, platform.put("more.csv", HEADER, *more))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "12 rows added, 0 were there, 0 in quarantine" in done.stdout
    listed = json.loads(platform.checkout.drivetrain("releases", "list", "--json").stdout)[MODEL]
    assert len(listed["proposals"]) == 2
    return listed["proposals"][0]


@pytest.mark.parametrize(
    ("mood", "reason"),
    [
        ("raise", "TrainFailed: AlgorithmError: ValueError: the price of oil is not a number, exit code: 1"),
        ("kill", "exit code: 137"),
    ],
)
def test_a_training_that_fails_fails_the_execution_and_nothing_comes_of_it(
    platform: Platform, mood: str, reason: str
) -> None:
    before, file = platform.outcome(), platform.checkout.path / "mood"
    file.write_text(mood)
    try:
        with platform.still_serving():
            done = platform.checkout.drivetrain("train", MODEL)
    finally:
        file.unlink()
    assert done.returncode == 1
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    newest = platform.client("stepfunctions").list_executions(
        stateMachineArn=platform.checkout.names.state_machine_arn(MODEL)
    )["executions"][0]
    assert newest["status"] == "FAILED"
    assert platform.outcome() == before


def test_files_with_nothing_good_are_told_and_start_no_training(platform: Platform) -> None:
    before, trainings, held = platform.outcome(), platform.trainings(), platform.data()
    bad = [
        platform.put("empty.csv"),
        platform.put("renamed.csv", HEADER.replace("mpg", "MPG"), "v,25,4,140,75,2542,17,1974,USA"),
        platform.put("mars.csv", HEADER, "ford model y,25,4,140,75,2542,17,1974,Mars"),
    ]
    done = platform.checkout.drivetrain("ingest", MODEL, *bad)
    assert done.returncode == 1
    assert "nothing of empty.csv was taken: an empty object" in done.stderr
    assert "nothing of renamed.csv was taken: header: mpg: missing; MPG: unknown, did you mean mpg?" in done.stderr
    assert "nothing of mars.csv was taken: line 2: origin: expected one of USA, Europe, Japan" in done.stderr
    assert "Traceback" not in done.stderr
    again = platform.checkout.drivetrain("ingest", MODEL, bad[-1])
    assert again.returncode == 1
    assert "nothing of mars.csv was taken: line 2: origin: expected one of USA, Europe, Japan" in again.stderr
    after = platform.data()
    assert after["quarantined"] == held["quarantined"] + 3
    assert after["snapshots"] == held["snapshots"]
    assert (platform.outcome(), platform.trainings()) == (before, trainings)


def test_later_rows_are_a_new_version_and_the_older_one_stays(platform: Platform, proposal: dict[str, Any]) -> None:
    found = platform.data()
    assert [version["rows"] for version in found["snapshots"]] == [398, 410]
    older, newer = (version["snapshot_id"] for version in found["snapshots"])
    assert (platform.data("--snapshot", older)["rows"], found["rows"]) == (398, 410)
    assert proposal["snapshot"] == newer
    assert platform.live.snapshot == older


def test_an_artefact_that_was_changed_is_not_adopted(platform: Platform, proposal: dict[str, Any]) -> None:
    bucket, _, key = proposal["artefact"].removeprefix("s3://").partition("/")
    s3, before = platform.client("s3"), platform.releases_file.read_text()
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    s3.put_object(Bucket=bucket, Key=key, Body=body + b"x")
    try:
        with platform.still_serving():
            done = platform.checkout.drivetrain("releases", "adopt", MODEL)
    finally:
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    assert done.returncode == 1
    assert (
        f"artefact_sha256: is {proposal['artefact_sha256']}, but the bytes of s3://{bucket}/{key} have" in done.stderr
    )
    assert platform.releases_file.read_text() == before


def test_a_release_that_is_not_the_artefact_is_rolled_back_and_a_good_one_takes_its_place(
    platform: Platform, proposal: dict[str, Any]
) -> None:
    good = platform.live
    with platform.still_serving():
        write_releases(platform.releases_file, {MODEL: good.model_copy(update={"manifest_sha256": "0" * 64})})
        done = platform.checkout.drivetrain("local", "up")
    assert done.returncode == 1
    assert "SageMaker rolled the update back" in done.stderr
    assert f"{'0' * 64}, live {good.manifest_sha256}" in done.stderr
    assert "Traceback" not in done.stderr
    adopted = platform.checkout.drivetrain("releases", "adopt", MODEL)
    assert adopted.returncode == 0, adopted.stderr
    answer = platform.checkout.drivetrain("predict", MODEL, "--row", json.dumps(CAR), "--json")
    assert json.loads(answer.stdout)["release"] == platform.live.package == proposal["package"]


def test_a_release_file_that_cannot_be_read_is_told(platform: Platform) -> None:
    text = platform.releases_file.read_text()
    platform.releases_file.write_text(text.replace("artefact_sha256 = ", "artefact_sha256 "))
    try:
        with_mistake = [platform.checkout.drivetrain("releases", "list"), platform.checkout.drivetrain("local", "up")]
    finally:
        platform.releases_file.write_text(text)
    for done in with_mistake:
        assert done.returncode == 1
        assert "drivetrain: local.toml: no valid TOML" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_port_in_use_is_told_and_nothing_is_left(platform: Platform) -> None:
    taken = platform.client("s3").meta.endpoint_url.rpartition(":")[2]
    done = platform.checkout.drivetrain("local", "up", "--rehearsal", "second", "--port", taken)
    assert done.returncode == 1
    assert f"port {taken} of 127.0.0.1 cannot be listened on: Address already in use" in done.stderr
    status = platform.checkout.drivetrain("local", "status", "--rehearsal", "second", "--json").stdout
    assert json.loads(status) == {"name": "second", "up": False}
    folder = str(platform.checkout.path / ".local" / "second")
    assert [each for each in psutil.process_iter(["cmdline"]) if folder in (each.info["cmdline"] or [])] == []


def test_another_port_than_the_one_it_runs_on_is_told(platform: Platform) -> None:
    with platform.still_serving():
        done = platform.checkout.drivetrain("local", "up", "--port", "4")
    assert done.returncode == 1
    assert "already runs on port" in done.stderr
