"""What a stack costs, from what it declares and a shipped table of prices."""

from delivery.cost.estimate import CostLine, Estimate, OnDemand, before_and_after, declared_in, estimate
from delivery.cost.prices import PriceError, PriceTable, load_prices
from delivery.cost.resources import machines_in

__all__ = [
    "CostLine",
    "Estimate",
    "OnDemand",
    "PriceError",
    "PriceTable",
    "before_and_after",
    "declared_in",
    "estimate",
    "load_prices",
    "machines_in",
]
