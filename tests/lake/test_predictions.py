"""The table of predictions: a run is one commit, and twice adds nothing."""

from datetime import UTC, datetime
from typing import Any

import pytest

from lake.errors import LakeError
from lake.predictions import Predicted, append_predictions, known_places
from tests.lake.conftest import with_text_for_weight

# Against a whole lake on a moto server; test_ingest.py is the fast one of these.
pytestmark = pytest.mark.slow
AT = datetime(2026, 1, 2, tzinfo=UTC)


def predicted(row: int, *, version: str = "7", value: float = 20.5) -> Predicted:
    key = ("vega", 1974, 2500 + row)
    return Predicted(source="curated.auto_mpg", version=version, row=row, key=key, prediction=value)


def test_predictions_say_whose_they_are_and_of_which_row(place: Any) -> None:
    table = place.lake.predictions(place.spec)
    assert append_predictions(table, place.spec, [predicted(1), predicted(2)], release="r1", job="j", at=AT) == 2
    rows = place.lake.find(".".join(table.name())).scan().to_arrow().to_pylist()
    assert sorted(rows, key=lambda row: row["_row"])[0] == {
        "name": "vega",
        "model_year": 1974,
        "weight": 2501,
        "prediction": 20.5,
        "_release": "r1",
        "_source": "curated.auto_mpg",
        "_version": "7",
        "_row": 1,
        "_job": "j",
        "_predicted_at": AT,
    }
    assert table.schema().find_field("prediction").doc == "predicted mpg (mi/gal)"


def test_the_same_rows_are_added_once_per_release_and_version(place: Any) -> None:
    table = place.lake.predictions(place.spec)
    append_predictions(table, place.spec, [predicted(1)], release="r1", job="j", at=AT)
    again = [predicted(1, value=9.0), predicted(2)]
    assert append_predictions(table, place.spec, again, release="r1", job="k", at=AT) == 1
    assert append_predictions(table, place.spec, again, release="r1", job="k", at=AT) == 0
    assert append_predictions(table, place.spec, [predicted(1)], release="r2", job="l", at=AT) == 1
    assert append_predictions(table, place.spec, [predicted(1, version="8")], release="r1", job="m", at=AT) == 1
    assert len(table.snapshots()) == 4
    assert known_places(table, "r1", ["curated.auto_mpg"]) == {
        ("curated.auto_mpg", "7", 1),
        ("curated.auto_mpg", "7", 2),
        ("curated.auto_mpg", "8", 1),
    }
    assert known_places(table, "r1", []) == known_places(table, "r3", ["curated.auto_mpg"]) == frozenset()


def test_there_is_no_table_of_an_unknown_name(place: Any) -> None:
    assert place.lake.find("nothing") is None
    assert place.lake.find("no.table") is None


def test_a_key_that_changed_widens_the_table(place: Any) -> None:
    table = place.lake.predictions(place.spec)
    append_predictions(table, place.spec, [predicted(1)], release="r1", job="j", at=AT)
    changed = place.spec.model_copy(update={"key": ("name", "origin")})
    row = Predicted(source="curated.auto_mpg", version="7", row=2, key=("vega", "USA"), prediction=21.0)
    widened = place.lake.predictions(changed)
    assert append_predictions(widened, changed, [row], release="r1", job="k", at=AT) == 1
    rows = place.lake.find(".".join(table.name())).scan().to_arrow().to_pylist()
    assert sorted((each["_row"], each["model_year"], each["origin"]) for each in rows) == [
        (1, 1974, None),
        (2, None, "USA"),
    ]


def test_a_key_column_of_another_type_is_refused_before_anything_is_predicted(place: Any) -> None:
    place.lake.predictions(place.spec)
    changed = with_text_for_weight(place.spec)
    with pytest.raises(LakeError, match=r"column 'weight' is string in model.toml but long .* and predict again"):
        place.lake.predictions(changed)
