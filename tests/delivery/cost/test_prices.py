import datetime
import subprocess
from pathlib import Path

import pytest

from delivery.cost.estimate import estimate
from delivery.cost.prices import PRICES_FILE, PriceError, load_prices
from delivery.cost.resources import Declared
from infra.sources import project_directory
from models.spec import discover


def test_every_price_has_a_day_and_a_source() -> None:
    table = load_prices()
    assert len(table.prices) >= 10
    for price in table.prices:
        assert datetime.date(2023, 1, 1) < price.as_of <= datetime.datetime.now(datetime.UTC).date(), price.key
        assert price.source.startswith("https://"), price.key


def test_the_region_is_found_before_what_holds_everywhere() -> None:
    table = load_prices()
    assert table.find("kms.key", "eu-west-1") is not None
    assert table.find("vpc.interface-endpoint-zone", "eu-west-1") is not None
    assert table.find("vpc.interface-endpoint-zone", "us-east-1") is None


def test_the_machines_that_the_models_are_served_on_have_a_price() -> None:
    table = load_prices()
    specs = discover(project_directory() / "models")
    assert specs
    for spec in specs:
        for use in ("hosting", "transform"):
            assert table.find(f"sagemaker.{use}.{spec.serving.instance_type}", "eu-west-1"), spec.name


def test_every_type_that_the_rehearsal_can_make_is_paid_free_or_counted() -> None:
    """A type that is added to the platform needs a line in the table."""
    listed = subprocess.run(
        ["git", "grep", "-hoE", 'token = "aws:[^"]+"', "--", "rehearsal/provider"],
        cwd=project_directory(),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split('"')[1::2]
    assert len(listed) > 50
    found = estimate([Declared(urn=token, type=token, name=token) for token in listed], load_prices(), "eu-west-1")
    assert [each for each in found.unknown if each.endswith("not in the price table")] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("usd = 0.128", "usd = -1"), "prices.0.usd"),
        (('per = "hour"', 'per = "year"'), "prices.0.per"),
        (("hours_per_month = 730", "hours = 730"), "hours"),
        (("hours_per_month = 730", "hours_per_month = "), "line 7"),
        (("ml.m5.xlarge", "ml.m5.large"), "sagemaker.hosting.ml.m5.large in eu-west-1 stands twice"),
    ],
)
def test_a_wrong_table_is_named(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    text = PRICES_FILE.read_text(encoding="utf-8")
    (tmp_path / "prices.toml").write_text(text.replace(change[0], change[1], 1), encoding="utf-8")
    with pytest.raises(PriceError, match=message):
        load_prices(tmp_path / "prices.toml")
