"""Metric math of one period; what is missing stays missing, what is unknown is an error."""

import pytest

from rehearsal.aws.cloudwatch.expressions import ExpressionError, evaluate

VALUES = {"calls": 40.0, "refused": 2.0, "failed": None}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("calls / 4", 10),
        ("-calls + 2 ** 3", -32),
        ("IF(calls >= 20, (FILL(refused, 0) + FILL(failed, 0)) / calls, 0)", 0.05),
        ("IF(calls < 20, 1, 0)", 0),
        ("IF(calls > 1 && refused > 1, 7, 8)", 7),
        ("IF(calls > 100 || refused > 1, 7, 8)", 7),
        ("failed + 1", None),
        ("IF(failed > 1, 7, 8)", None),
        ("calls / 0", None),
        ("FILL(failed, 3)", 3),
        ("ABS(0 - refused)", 2),
        ("MAX(calls, failed, refused)", 40),
        ("SUM(failed, failed)", None),
    ],
)
def test_expressions_of_alarms(expression: str, expected: float | None) -> None:
    assert evaluate(expression, VALUES) == expected


@pytest.mark.parametrize(
    "expression", ["calls +", "unknown + 1", "ANOMALY_DETECTION_BAND(calls, 2)", "'text'", "__import__('os')"]
)
def test_what_is_not_computed_is_an_error(expression: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(expression, VALUES)
