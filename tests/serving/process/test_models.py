"""A worker's models without a process: prepared beside the one that serves, then taken or dropped."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from serving.core.engine import Engine
from serving.core.service import Service
from serving.core.shadow import Shadows
from serving.process.channel import Channel, Message, channels
from serving.process.models import LoadError, Models, SwapError, check_alike
from serving.process.places import Place, Places


class Rig:
    def __init__(self) -> None:
        self.serving_now: list[tuple[str, str]] = []
        self.engine = Engine(lambda _: None)
        self.models = Models(self.engine, Shadows(lambda *_: None, None, None), self, 1)

    def serving(self, service: Service, variant: str = "", /) -> None:
        self.serving_now.append((service.release, variant))


def place(folder: Path, release: str, name: str = "", **more: Any) -> Place:
    return Place(name=name, folder=str(folder), release=release, **more)


def prepare(folder: Path, **more: object) -> Message:
    message: Message = {"do": "prepare", "swap": 1, "name": "", "folder": str(folder), "manifest_sha256": None}
    return message | {"release": "new", "other_model": False} | more


async def answer(models: Models, message: Message, ends: tuple[Channel, Channel]) -> Message:
    """What the worker says to `message`."""
    models.command(message, ends[1])
    while True:
        for heard in ends[0].receive():
            return heard
        await asyncio.sleep(0.001)


def closing(ends: tuple[Channel, Channel]) -> None:
    for end in ends:
        end.close()


def test_a_model_is_prepared_then_taken(base_dir: Path) -> None:
    async def run() -> None:
        rig, ends = Rig(), channels()
        about = await rig.models.load(Places(models=(place(base_dir / "model", "old"),)))
        assert (about["model"], about["release"]) == ("auto-mpg", "old")
        prepared = await answer(rig.models, prepare(base_dir / "model"), ends)
        assert prepared["event"] == "prepared"
        assert rig.engine.service.release == "old"
        committed = await answer(rig.models, {"do": "commit", "swap": 1}, ends)
        assert committed == {"event": "committed", "swap": 1}
        assert rig.engine.service.release == "new"
        assert rig.serving_now == [("old", ""), ("new", "")]
        closing(ends)

    asyncio.run(run())


def test_a_refused_model_leaves_the_old_one_and_nothing_to_take(base_dir: Path, tmp_path: Path) -> None:
    async def run() -> None:
        rig, ends = Rig(), channels()
        await rig.models.load(Places(models=(place(base_dir / "model", "old"),)))
        refused = await answer(rig.models, prepare(tmp_path / "nowhere"), ends)
        assert (refused["event"], "no such file" in str(refused["reason"])) == ("refused", True)
        rig.models.command({"do": "commit", "swap": 1}, ends[1])
        assert rig.engine.service.release == "old"
        closing(ends)

    asyncio.run(run())


def test_a_swap_that_is_given_up_while_it_is_prepared_leaves_nothing_to_take(base_dir: Path) -> None:
    async def run() -> None:
        rig, ends = Rig(), channels()
        await rig.models.load(Places(models=(place(base_dir / "model", "old"),)))
        rig.models.command(prepare(base_dir / "model"), ends[1])
        rig.models.command({"do": "abort", "swap": 1}, ends[1])
        # The next one is prepared after it, in the same threads.
        heard = await answer(rig.models, prepare(base_dir / "model", swap=2), ends)
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0.001)
        assert (heard["event"], heard["swap"]) == ("prepared", 2)
        rig.models.command({"do": "commit", "swap": 1}, ends[1])
        assert rig.engine.service.release == "old"
        closing(ends)

    asyncio.run(run())


def test_variants_and_shadows_find_their_places(base_dir: Path) -> None:
    folder = base_dir / "model"
    places = Places(
        models=(place(folder, "3", "blue"), place(folder, "4", "green"), place(folder, "5", "next", shadow=True))
    )
    rig = Rig()
    asyncio.run(rig.models.load(places))
    assert set(rig.engine.services) == {"blue", "green"}
    assert rig.engine.service.release == "3"
    assert rig.serving_now == [("3", "blue"), ("4", "green"), ("5", "next")]


def test_a_model_that_cannot_be_loaded_at_the_start_says_where_it_lies(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=f"the model in {tmp_path} is refused: .*no such file"):
        asyncio.run(Rig().models.load(Places(models=(place(tmp_path, ""),))))


def alike(name: str, *features: str) -> Any:
    columns = [SimpleNamespace(name=feature, type="float", categories=()) for feature in features]
    return SimpleNamespace(spec=SimpleNamespace(name=name, features=features, feature_columns=columns))


def of_column(**column: object) -> Any:
    made = alike("cars", "origin")
    vars(made.spec.feature_columns[0]).update(column)
    return made


def test_another_model_or_other_features_are_no_substitute() -> None:
    check: Callable[..., None] = check_alike
    check(alike("cars", "weight"), alike("cars", "weight"))
    with pytest.raises(SwapError, match="is of model 'boats', but 'cars' is served"):
        check(alike("cars", "weight"), alike("boats", "weight"))
    with pytest.raises(SwapError, match="takes weight, year, but what is served takes weight; say"):
        check(alike("cars", "weight"), alike("cars", "weight", "year"))


def test_other_types_or_categories_in_another_order_are_no_substitute() -> None:
    check: Callable[..., None] = check_alike
    served = of_column(type="category", categories=("USA", "Japan"))
    check(served, of_column(type="category", categories=("USA", "Japan")))
    with pytest.raises(SwapError, match="feature 'origin' is of type integer, but what is served takes category"):
        check(served, of_column(type="integer"))
    message = "categories of the artefact's feature 'origin' are Japan, USA, but those of what is served are USA, Japan"
    with pytest.raises(SwapError, match=message):
        check(served, of_column(type="category", categories=("Japan", "USA")))
