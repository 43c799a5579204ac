"""The curated table of a stack, as the specification says and like the training data, or not, or not there at all."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from delivery.acceptance import data as module
from delivery.acceptance.data import data
from delivery.acceptance.findings import Check
from tests.delivery.acceptance.conftest import Deployed
from tests.serving.conftest import training_columns


class Lake:
    """A lake whose one table is there or not."""

    def __init__(self, *, rows: bool) -> None:
        self._rows = rows

    def find_curated(self, spec: Any) -> Any:
        return type("Table", (), {"current_snapshot": lambda self: object()})() if self._rows else None


@pytest.fixture
def looked(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`looked(column=[...])`: the checks of the training rows with columns replaced; `personal` columns are so."""

    def look(*, personal: Sequence[str] = (), **columns: list[object]) -> dict[str, Check]:
        _, model = deployed(personal=personal)
        found: dict[str, list[object]] = {**training_columns(model.spec), **columns}
        found["name"] = [f"car {number}" for number in range(len(found["mpg"]))]
        table = pa.table({column.name: found[column.name] for column in model.spec.columns})
        monkeypatch.setattr(module, "rows_at", lambda lake, spec: table)
        lake: Any = Lake(rows=True)
        return {check.name: check for check in data(lake, model.spec, model)}

    return look


def test_the_training_rows_themselves_have_neither_drift_nor_odd_values(looked: Any) -> None:
    checks = looked()
    failed = {name for name, check in checks.items() if not check.ok}
    assert failed == {"rows"}, "a hundred and twenty rows are fewer than the specification wants"
    assert "population stability index 0.000" in checks["weight drift"].said


def test_rows_of_another_kind_drift(looked: Any) -> None:
    assert looked(weight=[7000] * 120)["weight drift"].result == "failed"
    assert looked(origin=["Japan"] * 120)["origin drift"].result == "failed"


def test_of_a_personal_column_no_drift_is_measured(looked: Any) -> None:
    checks = looked(personal=["weight"], weight=[7000] * 120)
    assert checks["weight drift"].result == "not checked"
    assert checks["weight drift"].said == "it is personal: the artefact holds nothing of its values"
    assert checks["displacement drift"].result == "passed"


def test_values_that_the_specification_refuses_are_named(looked: Any) -> None:
    checks = looked(weight=[2000] * 119 + [9000])
    assert checks["weight values"].result == "failed"
    assert checks["weight values"].said.endswith("1 are not, such as 9000")


def test_a_stack_without_rows_is_not_checked(deployed: Deployed) -> None:
    _, model = deployed()
    lake: Any = Lake(rows=False)
    (check,) = data(lake, model.spec, model)
    assert (check.result, check.ok, check.said) == ("not checked", True, "no rows were ingested in this stack")
