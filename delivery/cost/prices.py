"""The shipped price table: each price with its region, its day and where it was read."""

import datetime
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from delivery.errors import DeliveryError
from models.explain import explain
from models.schema import Section

PRICES_FILE = Path(__file__).parent / "prices.toml"
EVERYWHERE = "*"


class PriceError(DeliveryError):
    """The price table is not right; the message names the entry."""


class Price(Section):
    """One price in US dollars."""

    key: str
    region: str
    usd: float = Field(ge=0)
    per: Literal["hour", "month", "million"]
    """Of an hour, of a month, or of a million uses."""
    as_of: datetime.date
    source: str = Field(pattern=r"^https://")
    note: str = ""


class _Free(Section):
    types: list[str]


class PriceTable(Section):
    """All prices, what is paid by use, and what is free."""

    hours_per_month: int
    prices: list[Price]
    usage: dict[str, str]
    free: _Free

    def find(self, key: str, region: str) -> Price | None:
        """The price of `key` in the region, or the one that holds everywhere."""
        fitting = [price for price in self.prices if price.key == key and price.region in (region, EVERYWHERE)]
        return min(fitting, key=lambda price: price.region == EVERYWHERE, default=None)

    def monthly(self, price: Price) -> float:
        """The price for a whole month."""
        return price.usd * self.hours_per_month if price.per == "hour" else price.usd

    def is_free(self, type_: str) -> bool:
        """Whether resources of the type cost nothing by themselves."""
        return any(type_.startswith(prefix) for prefix in self.free.types)


def load_prices(path: Path = PRICES_FILE) -> PriceTable:
    """The table in `path`; raises PriceError."""
    try:
        table = PriceTable.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise PriceError(f"{path.name}: {error}") from error
    except ValidationError as error:
        raise PriceError(explain(path.name, error)) from error
    keys = [(price.key, price.region) for price in table.prices]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice:
        raise PriceError(f"{path.name}: {twice[0]} in {twice[1]} stands twice")
    return table
