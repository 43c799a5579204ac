import pytest

from serving.core.call import Call
from serving.core.errors import RequestError
from serving.core.variants import WeightedRouter


def named(router: WeightedRouter, count: int = 2000) -> list[str]:
    return [router.choose(Call(b"", request_id=f"request-{number}")) for number in range(count)]


def test_requests_are_shared_by_weight() -> None:
    chosen = named(WeightedRouter({"blue": 9, "green": 1}))
    assert 0.06 < chosen.count("green") / len(chosen) < 0.14


def test_the_same_request_id_gets_the_same_variant() -> None:
    weights = {"blue": 1.0, "green": 1.0, "red": 2.0}
    assert named(WeightedRouter(weights)) == named(WeightedRouter(weights))


@pytest.mark.parametrize(("place", "name"), [(0.0, "blue"), (0.74, "blue"), (0.75, "green"), (0.999, "green")])
def test_without_an_id_or_by_wish_chance_decides(place: float, name: str) -> None:
    weights = {"blue": 3.0, "green": 1.0}
    assert WeightedRouter(weights, draw=lambda: place).choose(Call(b"")) == name
    assert WeightedRouter(weights, by="random", draw=lambda: place).choose(Call(b"", request_id="7")) == name


def test_a_variant_without_weight_answers_only_who_names_it() -> None:
    router = WeightedRouter({"blue": 1, "green": 0})
    assert set(named(router)) == {"blue"}
    assert router.choose(Call(b"", variant="green")) == "green"


def test_an_unknown_variant_is_the_callers_mistake() -> None:
    router = WeightedRouter({"blue": 1, "green": 1})
    with pytest.raises(RequestError, match="there is no variant 'red'; there are blue, green") as refused:
        router.choose(Call(b"", variant="red"))
    assert refused.value.status == 400
