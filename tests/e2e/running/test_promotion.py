"""What was trained in one account serves in another: same bytes, same prediction, nothing trained again."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from infra.names import Names
from infra.settings import load_settings
from models.release import Release, load_releases, write_releases
from rehearsal import server
from tests.e2e.checkout import Checkout

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
MODEL = "auto-mpg"
CAR = '{"cylinders": 4, "displacement": 97, "horsepower": 46, "weight": 1835, "acceleration": 20.5, "model_year": 1970, "origin": "Europe"}'  # noqa: E501
# What an account's bootstrap and its first deployment do, by the rehearsal's own engine.
_APPLY = """
import sys
from cli.deployment import bootstrap_rehearsed, deploy_rehearsed
from infra.settings import load_settings
from infra.sources import project_directory
from rehearsal import server
running = server.running(project_directory() / ".local" / "default")
settings = load_settings(project_directory(), "staging")
if "bootstrap" in sys.argv:
    bootstrap_rehearsed(settings, running)
deploy_rehearsed(settings, running, "deploy staging")
"""


def apply(checkout: Checkout, *steps: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _APPLY, *steps],
        cwd=checkout.path,
        env=checkout.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Staging:
    """The second account of the rehearsal, with the model promoted to it and deployed."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout
        self.names: Names = load_settings(checkout.path, "staging").names
        apply(checkout, "bootstrap")
        self.promoted = checkout.drivetrain("promote", MODEL, "--from", "local", "--to", "staging")
        assert self.promoted.returncode == 0, self.promoted.stdout + self.promoted.stderr
        apply(checkout)

    @property
    def releases_file(self) -> Path:
        return self.checkout.path / ".local" / "default" / "releases" / "staging.toml"

    @property
    def release(self) -> Release:
        return load_releases(self.releases_file)[MODEL]

    def client(self, service: str) -> Any:
        running = server.running(self.checkout.path / ".local" / "default")
        assert running is not None
        environment = running.environment(self.names.account_id, self.names.region)
        session: Any = boto3.Session(
            environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"], region_name=self.names.region
        )
        return session.client(service, endpoint_url=running.endpoint_url)

    def refused(self) -> str:
        """What `releases verify` says, having failed."""
        done = self.checkout.drivetrain("releases", "verify", "--stack", "staging")
        assert done.returncode == 1, done.stdout
        assert "Traceback" not in done.stderr
        return done.stderr

    @contextmanager
    def edited(self, **changes: Any) -> Iterator[None]:
        """The release file edited by hand, and as before afterwards."""
        before = self.releases_file.read_bytes()
        write_releases(self.releases_file, {MODEL: self.release.model_copy(update=changes)})
        try:
            yield
        finally:
            self.releases_file.write_bytes(before)


@pytest.fixture(scope="module")
def staging(checkout: Checkout) -> Staging:
    return Staging(checkout)


def prediction(checkout: Checkout, stack: str) -> float:
    done = checkout.drivetrain("predict", MODEL, "--stack", stack, "--row", CAR, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["predictions"][0]


def test_the_promoted_model_serves_the_same_predictions(staging: Staging) -> None:
    assert prediction(staging.checkout, "staging") == prediction(staging.checkout, "local")


def test_nothing_was_trained_in_the_second_account(staging: Staging) -> None:
    assert staging.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []
    local = load_releases(staging.releases_file.with_name("local.toml"))[MODEL]
    kept = ("artefact_sha256", "manifest_sha256", "snapshot", "commit", "metrics")
    assert staging.release.model_dump(include=set(kept)) == local.model_dump(include=set(kept))
    assert staging.release.image.rpartition("@")[2] == local.image.rpartition("@")[2]


def test_each_step_is_told(staging: Staging) -> None:
    said = staging.promoted.stdout
    for step in ("copied image ", "copied artefact ", "copied package ", "copied releases/staging.toml"):
        assert step in said
    assert "auto-mpg is released in staging; commit the file: the merge makes it live" in said


def test_again_it_changes_nothing_and_says_so(staging: Staging) -> None:
    done = staging.checkout.drivetrain("promote", MODEL, "--from", "local", "--to", "staging")
    assert done.returncode == 0, done.stderr
    assert "auto-mpg was promoted already: nothing was changed" in done.stdout
    assert "copied" not in done.stdout


def test_the_images_of_the_sources_are_copied_and_countersigned(staging: Staging) -> None:
    before = staging.checkout.drivetrain("images", "verify", "--stack", "staging")
    assert (before.returncode, "drivetrain-staging-training" in before.stderr) == (1, True)
    copied = staging.checkout.drivetrain("images", "copy", "--from", "local", "--to", "staging")
    assert copied.returncode == 0, copied.stderr
    after = staging.checkout.drivetrain("images", "verify", "--stack", "staging")
    assert after.returncode == 0, after.stderr
    planned = json.loads(staging.checkout.drivetrain("images", "plan", "--stack", "staging", "--json").stdout)
    assert [(each["image"], each["signed"]) for each in planned] == [("training", True), ("serving", True)]


def test_what_is_released_passes(staging: Staging) -> None:
    done = staging.checkout.drivetrain("releases", "verify", "--stack", "staging")
    assert (done.returncode, done.stderr) == (0, "")
    assert "releases/staging.toml: auto-mpg: every check passed" in done.stdout


def test_a_tampered_artefact_is_refused(staging: Staging) -> None:
    s3, place = staging.client("s3"), urlsplit(staging.release.artefact)
    where = {"Bucket": place.netloc, "Key": place.path.lstrip("/")}
    before = s3.get_object(**where)["Body"].read()
    s3.put_object(**where, Body=before + b"more")
    try:
        said = staging.refused()
    finally:
        s3.put_object(**where, Body=before)
    assert "releases/staging.toml: models.auto-mpg.artefact_sha256: is " in said


def test_a_release_edited_by_hand_is_refused(staging: Staging) -> None:
    release = staging.release
    with staging.edited(image=release.image[:-4] + "beef", artefact_sha256="0" * 64):
        said = staging.refused()
    assert f"models.auto-mpg.image: is {release.image[:-4]}beef" in said
    assert release.image in said
    assert f"models.auto-mpg.artefact_sha256: is {'0' * 64}" in said
    assert release.artefact_sha256 in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("promote", "auto-mgp", "--from", "local", "--to", "staging"), "unknown model 'auto-mgp'; models are: "),
        (("promote", "auto-mpg", "--from", "local", "--to", "local"), "--from and --to are both local"),
        (("promote", "auto-mpg", "--from", "local", "--to", "stagin"), "did you mean 'staging'"),
        (("promote", "auto-mpg", "--from", "production", "--to", "staging"), "no AWS credentials"),
        (("promote", "auto-mpg", "--from", "local", "--to", "staging", "--to-profile", "x"), "no AWS profile 'x'"),
    ],
)
def test_a_mistake_is_one_message(staging: Staging, arguments: tuple[str, ...], message: str) -> None:
    done = staging.checkout.drivetrain(*arguments)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 1
