"""Requests go to the fleets by their shares, and a fleet is let go only after its last answer."""

import threading
from typing import Any

import pytest

from rehearsal.aws.endpoints.routing import Deployment, Router


class Fleet:
    """Counts who is on the way to it."""

    def __init__(self, variant: str) -> None:
        self.variant, self.on_the_way = variant, 0
        self.idle = threading.Event()

    def enter(self) -> None:
        self.on_the_way += 1

    def leave(self) -> None:
        self.on_the_way -= 1


def deployment(name: str, **weights: float) -> Any:
    variants = [{"VariantName": variant, "InitialVariantWeight": weight} for variant, weight in weights.items()]
    configuration: Any = type("Configuration", (), {"production_variants": variants, "name": name})
    fleets: Any = tuple(Fleet(f"{name}-{variant}") for variant in weights)
    return Deployment(configuration=configuration, fleets=fleets)


def served(router: Router, requests: int = 400, variant: str | None = None) -> dict[str, int]:
    counts: dict[str, int] = {}
    for _ in range(requests):
        with router.route(variant) as fleet:
            key = fleet.variant if fleet else "nobody"
            counts[key] = counts.get(key, 0) + 1
    return counts


@pytest.fixture
def router() -> Router:
    router = Router()
    router.settle(deployment("old", main=1))
    return router


def test_before_anything_is_settled_nobody_serves() -> None:
    assert served(Router(), 3) == {"nobody": 3}


def test_traffic_is_shared_taken_back_and_settled(router: Router) -> None:
    coming = deployment("new", main=1)
    router.shift(coming, 0.5)
    counts = served(router)
    assert set(counts) == {"old-main", "new-main"}
    assert 100 < counts["new-main"] < 300
    router.withdraw()
    assert served(router) == {"old-main": 400}
    router.shift(coming, 1.0)
    assert served(router) == {"new-main": 400}
    router.settle(coming)
    assert (router.live, router.next, router.share) == (coming, None, 0.0)


def test_a_weight_of_zero_gets_no_traffic_unless_it_is_named(router: Router) -> None:
    router.settle(deployment("live", main=1, shadow=0))
    assert served(router, 50) == {"live-main": 50}
    assert served(router, 5, "live-shadow") == {"live-shadow": 5}


def test_a_request_on_its_way_is_counted_until_it_is_answered(router: Router) -> None:
    with router.route(None) as fleet:
        assert fleet is not None
        assert fleet.on_the_way == 1  # type: ignore[attr-defined]
    assert fleet.on_the_way == 0  # type: ignore[attr-defined]
