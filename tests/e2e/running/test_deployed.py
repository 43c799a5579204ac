"""What is deployed is verified and tested through its endpoints, as continuous delivery does after each deployment."""

import json
from pathlib import Path

import pytest

from models.release import load_releases, write_releases
from tests.e2e.checkout import Checkout

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
MODELS = {"auto-mpg", "second-cars"}


def test_what_is_live_is_what_was_declared(checkout: Checkout) -> None:
    done = checkout.drivetrain("verify", "local", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)["models"]
    assert {each["model"] for each in found} == MODELS
    assert all(each["ok"] and each["instances"] == 1 for each in found)
    assert "as declared" in checkout.drivetrain("verify", "local").stdout


def test_a_release_file_that_says_otherwise_is_noticed(checkout: Checkout) -> None:
    file = checkout.path / ".local" / "default" / "releases" / "local.toml"
    releases = load_releases(file)
    other = releases["auto-mpg"].model_copy(update={"artefact": "s3://other/model.tar.gz"})
    before = file.read_bytes()
    try:
        write_releases(file, {**releases, "auto-mpg": other})
        done = checkout.drivetrain("verify", "local")
    finally:
        Path(file).write_bytes(before)
    assert done.returncode == 1
    assert "variant main: artefact: declared s3://other/model.tar.gz" in done.stderr


def test_every_released_model_answers_as_its_release(checkout: Checkout) -> None:
    done = checkout.drivetrain("smoke", "local", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)["models"]
    assert set(found) == MODELS
    assert {(each["name"], each["result"]) for checks in found.values() for each in checks} == {
        ("prediction", "passed"),
        ("release", "passed"),
    }


def test_the_deployed_models_are_accepted(checkout: Checkout) -> None:
    done = checkout.drivetrain("acceptance", "local", "--seconds", "2", "--callers", "2", "--json")
    found = json.loads(done.stdout)["models"]["auto-mpg"]
    # How fast a machine is that runs other tests as well says nothing of the model.
    failed = [check for check in found if check["result"] == "failed" and check["name"] != "p99 latency"]
    assert failed == []
    assert {check["part"] for check in found} == {"contract", "data", "behaviour", "load"}
    assert any(check["name"] == "weight drift" and check["result"] == "passed" for check in found)
    assert any(check["name"] == "mpg goes down with weight" and check["result"] == "passed" for check in found)


def test_a_stack_that_is_not_there_is_told(checkout: Checkout) -> None:
    for command in ("verify", "smoke", "acceptance", "deploy"):
        done = checkout.drivetrain(command, "prod")
        assert done.returncode == 1
        assert "did you mean 'production'?" in done.stderr
        assert "Traceback" not in done.stderr


def test_the_rehearsals_own_stack_is_not_deployed_by_pulumi(checkout: Checkout) -> None:
    done = checkout.drivetrain("deploy", "local")
    assert done.returncode == 1
    assert "which applies it by itself" in done.stderr
