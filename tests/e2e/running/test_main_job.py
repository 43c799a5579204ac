"""The main job, as a user meets it: one command, then predictions, data, logs and plain AWS clients."""

import json
import subprocess
import urllib.request
from typing import Any

import pytest

from tests.e2e.checkout import Checkout

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
MODELS = ("auto-mpg", "second-cars")
CAR = {
    "cylinders": 4,
    "displacement": 97,
    "horsepower": 46,
    "weight": 1835,
    "acceleration": 20.5,
    "model_year": 1970,
    "origin": "Europe",
}


def status(checkout: Checkout) -> dict[str, Any]:
    return json.loads(checkout.drivetrain("local", "status", "--json").stdout)


def test_each_stage_is_shown_with_its_time(checkout: Checkout) -> None:
    for stage in ("start the offline AWS", "deploy the platform", "push the images", "bring the endpoints up"):
        line = next(line for line in checkout.up_output.splitlines() if line.startswith(f"ok {stage}"))
        assert " s  " in line
    assert "Train " in checkout.up_output
    assert "Evaluate " in checkout.up_output


def test_the_page_and_the_prediction_are_at_the_address_that_is_printed(checkout: Checkout) -> None:
    address = next(line.split()[-1] for line in checkout.up_output.splitlines() if "auto-mpg page" in line)
    with urllib.request.urlopen(address) as page:
        assert "<form" in page.read().decode()
    request = urllib.request.Request(
        f"{address}invocations", data=json.dumps(CAR).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        (prediction,) = json.load(answer)["predictions"]
    # A light Volkswagen of 1970 did 26 miles a gallon.
    assert 22 < prediction < 32


def test_the_request_that_is_printed_works(checkout: Checkout) -> None:
    command = next(line.strip() for line in checkout.up_output.splitlines() if line.strip().startswith("curl "))
    done = subprocess.run(["bash", "-euc", f"{command} --silent --fail"], capture_output=True, text=True, check=True)
    assert 10 < json.loads(done.stdout)["predictions"][0] < 50


@pytest.mark.parametrize("model", MODELS)
def test_predict_goes_through_invoke_endpoint(checkout: Checkout, model: str) -> None:
    done = checkout.drivetrain("predict", model, "--row", json.dumps(CAR), "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert 22 < answer["predictions"][0] < 32
    assert answer["unit"] == "mi/gal"


def test_a_heavier_car_does_fewer_miles(checkout: Checkout) -> None:
    rows = json.dumps([CAR, {**CAR, "weight": 4500, "horsepower": 200, "cylinders": 8, "displacement": 400}])
    done = checkout.drivetrain("predict", "auto-mpg", "--file", "-", "--json", stdin=rows)
    light, heavy = json.loads(done.stdout)["predictions"]
    assert heavy < light - 5


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("predict", "auto-mgp"), 1, "unknown model 'auto-mgp'; models are: auto-mpg, second-cars"),
        (("predict", "auto-mpg", "--row", "{"), 1, "JSON"),
        (("predict", "auto-mpg", "--row", json.dumps({**CAR, "weight": "heavy"})), 1, "weight"),
        (("predict", "auto-mpg", "--row", json.dumps({**CAR, "origin": "Mars"})), 1, "USA"),
        (("predict", "auto-mpg", "--file", "rows.xlsx"), 2, ".json"),
        (("predict", "auto-mpg", "--row", "{}", "--file", "x.json"), 2, "not several"),
        (("predict", "auto-mpg", "--file", "nowhere.csv"), 1, "nowhere.csv"),
        (("data", "auto-mpg", "--snapshot", "12"), 1, "no version '12'"),
        (("data", "auto-mpg", "--stack", "producton"), 1, "did you mean 'production'"),
        (("releases", "adopt", "auto-mpg", "--execution", "x"), 1, "no proposal for auto-mpg from execution x"),
        (("ingest", "auto-mpg", "nowhere.csv"), 2, "nowhere.csv"),
        (("local", "up", "--port", "70000"), 2, "65535"),
        (("local", "status", "--rehearsal", "../x"), 2, "letters, digits"),
    ],
)
def test_a_mistake_is_one_message(checkout: Checkout, arguments: tuple[str, ...], code: int, message: str) -> None:
    done = checkout.drivetrain(*arguments)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == code


@pytest.mark.parametrize("model", MODELS)
def test_the_data_are_in_the_lake(checkout: Checkout, model: str) -> None:
    found = json.loads(checkout.drivetrain("data", model, "--json").stdout)
    assert (found["rows"], found["quarantined"]) == (398, 8)
    assert found["reasons"][0]["rows"] == 8
    assert "mpg" in found["reasons"][0]["reason"]
    assert len(found["snapshots"]) == 1
    shown = checkout.drivetrain("data", model).stdout
    assert found["snapshots"][0]["snapshot_id"] in shown


def test_the_logs_of_each_job_are_there(checkout: Checkout) -> None:
    shown = checkout.drivetrain("logs", "auto-mpg").stdout
    for group in (
        "/aws-glue/drivetrain-local-auto-mpg-ingest/",
        "/aws/sagemaker/TrainingJobs",
        "/aws/sagemaker/ProcessingJobs",
    ):
        assert f"== {group}" in shown


def test_the_release_pins_everything(checkout: Checkout) -> None:
    found = json.loads(checkout.drivetrain("releases", "list", "--json").stdout)["auto-mpg"]
    assert found["live"]["metrics"]["mae"] < 2.5
    assert found["live"]["image"].split("@")[0].endswith("drivetrain-local-serving")
    assert len(found["proposals"]) == 1


def test_again_while_up_changes_nothing_and_says_so(checkout: Checkout) -> None:
    before = status(checkout)
    done = checkout.drivetrain("local", "up")
    assert done.returncode == 0, done.stderr
    assert "already up: nothing was changed" in done.stdout
    assert status(checkout) == before


def test_doctor_finds_nothing_missing(checkout: Checkout) -> None:
    done = checkout.drivetrain("doctor", "--json")
    assert done.returncode == 0, done.stdout
    assert {finding["subject"] for finding in json.loads(done.stdout)} >= {
        "Python",
        "disk",
        "stack production",
        "models",
    }
