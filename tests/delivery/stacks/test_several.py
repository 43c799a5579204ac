"""Several stacks of one environment, deployed in waves."""

import threading

import pytest

from delivery.stacks.scopes import EnvironmentStacks
from delivery.stacks.several import StacksFailedError, in_waves, waves_of

STACKS = EnvironmentStacks(platform="dev", models={"bikes": "dev-bikes", "cars": "dev-cars"})


def test_the_platform_comes_first_and_what_is_not_touched_not_at_all() -> None:
    assert waves_of(STACKS) == [["dev"], ["dev-bikes", "dev-cars"]]
    assert waves_of(STACKS, ["dev-cars"]) == [["dev-cars"]]
    assert waves_of(STACKS, []) == []
    assert waves_of(EnvironmentStacks(platform="dev", models={})) == [["dev"]]


def test_the_stacks_of_a_wave_are_deployed_at_once() -> None:
    together = threading.Barrier(2, timeout=120)
    begun: list[str] = []

    def deploy(stack: str) -> str:
        begun.append(stack)
        if stack != "dev":
            together.wait()
        return f"{stack} deployed"

    assert in_waves(waves_of(STACKS), deploy) == ["dev deployed", "dev-bikes deployed", "dev-cars deployed"]
    assert begun[0] == "dev"


def test_one_that_fails_leaves_its_neighbours_alone_and_is_told() -> None:
    done: list[str] = []

    def deploy(stack: str) -> None:
        if stack == "dev-bikes":
            raise ValueError("no such image")
        done.append(stack)

    with pytest.raises(StacksFailedError, match=r"1 of 2 stacks failed:\ndev-bikes: no such image$"):
        in_waves(waves_of(STACKS), deploy)
    assert done == ["dev", "dev-cars"]


def test_a_platform_that_fails_stops_its_models() -> None:
    begun: list[str] = []

    def deploy(stack: str) -> None:
        begun.append(stack)
        raise ValueError("no credentials")

    with pytest.raises(ValueError, match="no credentials"):
        in_waves(waves_of(STACKS), deploy)
    assert begun == ["dev"]
