"""A model that does what its makers expect passes; one with a sign turned round, or far off, does not."""

import numpy as np

from delivery.acceptance.behaviour import behaviour
from tests.delivery.acceptance.conftest import Deployed
from tests.serving.conftest import BIAS, WEIGHTS


def failed(checks: object) -> list[str]:
    return [check.name for check in checks if not check.ok]  # type: ignore[attr-defined]


def test_a_sensible_model_passes(deployed: Deployed) -> None:
    checks = behaviour(*deployed())
    assert failed(checks) == []
    directions = {check.name: check.said for check in checks if " goes " in check.name}
    assert set(directions) == {
        "mpg goes down with weight",
        "mpg goes down with horsepower",
        "mpg goes up with model_year",
    }
    assert "for 100% of the rows" in directions["mpg goes down with weight"]


def test_a_heavier_car_that_goes_farther_is_refused(deployed: Deployed) -> None:
    turned = np.array(WEIGHTS)
    turned[3] = 0.0005
    assert failed(behaviour(*deployed(weights=turned, bias=BIAS - 15))) == ["mpg goes down with weight"]


def test_predictions_far_off_the_target_are_refused(deployed: Deployed) -> None:
    checks = behaviour(*deployed(bias=BIAS + 500))
    assert failed(checks) == ["rows of training data are predicted near the target's range"]


def test_where_personal_data_are_missing_in_the_artefact_it_is_said(deployed: Deployed) -> None:
    checks = {check.name: check for check in behaviour(*deployed(personal=["weight", "origin"]))}
    near = checks["rows of training data are predicted near the target's range"]
    assert near.result == "not checked"
    assert near.said == "the artefact holds nothing of the values of weight, origin, which is personal"
    down = checks["mpg goes down with weight"]
    assert (down.result, down.said) == (
        "not checked",
        "weight is personal: the artefact does not hold its range",
    )
    assert checks["mpg goes down with horsepower"].result == "passed"
    assert failed(checks.values()) == []


def test_a_personal_target_has_no_range(deployed: Deployed) -> None:
    checks = {check.name: check for check in behaviour(*deployed(personal=["mpg"]))}
    near = checks["rows of training data are predicted near the target's range"]
    assert (near.result, near.said) == (
        "not checked",
        "the artefact holds nothing of the values of mpg, which is personal",
    )
    assert failed(checks.values()) == []
