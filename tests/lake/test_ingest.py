"""The real cars, ingested as the job does it."""

from models.auto_mpg.source import fetch


def test_the_cars_are_taken_and_those_without_a_target_are_quarantined(place):
    uri = place.land("auto-mpg/cars.csv", fetch())

    result = place.ingest()

    assert (result.rows_read, result.rows_added, result.rows_unchanged, result.rows_quarantined) == (406, 398, 0, 8)
    assert result.snapshot_id
    rows = place.curated()
    assert len(rows) == 398
    assert {row["_object"] for row in rows} == {uri}
    quarantined = place.quarantined()
    assert [row["reason"] for row in quarantined] == ["mpg: expected a number from 1 to 100 mi/gal, got nothing"] * 8
    assert quarantined[0]["line"] == 12
    assert quarantined[0]["raw"] == "citroen ds-21 pallas,,4,133,115,3090,17.5,1970,Europe"


def test_the_same_object_twice_adds_nothing(place):
    place.land("auto-mpg/cars.csv", fetch())
    first = place.ingest()

    second = place.ingest()

    assert (second.rows_added, second.rows_unchanged, second.rows_quarantined) == (0, 398, 0)
    assert second.snapshot_id == first.snapshot_id
    assert len(place.quarantined()) == 8
