import pytest

from models.schema import Gate
from training.gates import judge, reasons

METRICS = {"mae": 1.8, "r2": 0.9}
BASELINE = {"mae": 2.4, "r2": 0.8}


@pytest.mark.parametrize(
    ("gate", "passed"),
    [
        (Gate(metric="mae", maximum=1.8), True),
        (Gate(metric="mae", maximum=1.79), False),
        (Gate(metric="r2", minimum=0.9), True),
        (Gate(metric="r2", minimum=0.91), False),
        (Gate(metric="mae", better_than_baseline_by=0.24), True),
        (Gate(metric="mae", better_than_baseline_by=0.26), False),
        (Gate(metric="r2", better_than_baseline_by=0.12), True),
        (Gate(metric="mae", better_than_released_by=-0.02), True),
        (Gate(metric="mae", better_than_released_by=0.0), False),
    ],
)
def test_each_rule(gate: Gate, passed: bool) -> None:
    (result,) = judge([gate], METRICS, BASELINE, {"mae": 1.79, "r2": 0.9})
    assert result.passed is passed


def test_a_gate_with_several_rules_gives_a_result_for_each() -> None:
    gate = Gate(metric="mae", maximum=1.0, better_than_baseline_by=0.9, better_than_released_by=0.1)
    results = judge([gate], METRICS, BASELINE, None)
    assert [(result.rule, result.passed) for result in results] == [
        ("maximum", False),
        ("better_than_baseline_by", False),
        ("better_than_released_by", True),
    ]
    assert reasons(results) == ("mae maximum 1: failed with 1.8; mae better_than_baseline_by 0.9: failed with 0.25")
