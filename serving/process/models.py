"""The models of one worker: loaded at the start, and put in each other's place when the supervisor says so."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from serving.core.engine import Engine
from serving.core.readiness import measure
from serving.core.service import Service, load_service
from serving.core.shadow import Shadows
from serving.core.variants import WeightedRouter
from serving.process.channel import Channel, Message
from serving.process.places import Place, Places

_SHOWN: Final = 10
"""Categories of one feature that a message names."""


class SwapError(Exception):
    """A model may not take the place of another one; the message says why."""


class LoadError(Exception):
    """A model cannot be served; the message says where it lies and why."""


class ServingObserver(Protocol):
    """Who is told which model takes the requests of a variant."""

    def serving(self, service: Service, variant: str = "", /) -> None:
        """From now on."""
        ...


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A model that has answered a row."""

    name: str
    service: Service
    one_row: float
    """Seconds that it takes for a row."""

    @property
    def about(self) -> Message:
        """What people want to know of it."""
        return {
            "model": self.service.spec.name,
            "release": self.service.release,
            "manifest_sha256": self.service.artefact.manifest_sha256,
            "milliseconds_per_row": round(self.one_row * 1000, 4),
        }


class Models:
    """Loads models beside the running event loop and gives them to the engine."""

    def __init__(
        self,
        engine: Engine,
        shadows: Shadows,
        observer: ServingObserver,
        threads: int,
        batch_bytes: int | None = None,
    ) -> None:
        self.engine: Final = engine
        self._shadows = shadows
        self._shadowing: set[str] = set()
        self._served: dict[str, Service] = {}
        self._observer = observer
        self._threads = threads
        self._batch_bytes = batch_bytes
        self._prepared: dict[int, Loaded] = {}
        self._over = 0
        """The last swap that was given up; their numbers grow."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def load(self, places: Places) -> Message:
        """Load all of `places`; what there is to know of the default one. LoadError says what is wrong."""
        loaded = [await asyncio.to_thread(self._load_first, place) for place in places.models]
        self._shadowing = {place.name for place in places.models if place.shadow}
        for model in loaded:
            self._install(model)
        if len(loaded) > 1:
            weights = {place.name: place.weight for place in places.models if not place.shadow}
            shadows = self._shadows if self._shadowing else None
            self.engine.route(WeightedRouter(weights, by=places.by, shadows=shadows), places.default.name)
        return loaded[0].about

    def command(self, message: Message, channel: Channel) -> None:
        """Do what the supervisor says: prepare a model, take the prepared one, or drop it."""
        number = message["swap"]
        if not isinstance(number, int):
            return
        if message["do"] == "prepare":
            task = asyncio.create_task(self._prepare(number, message, channel))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif message["do"] == "commit" and number in self._prepared:
            self._install(self._prepared.pop(number))
            self._prepared.clear()
            channel.send({"event": "committed", "swap": number})
        else:
            # What is still being prepared is not kept either.
            self._over = max(self._over, number)
            self._prepared.pop(number, None)

    async def _prepare(self, number: int, message: Message, channel: Channel) -> None:
        digest = message["manifest_sha256"]
        place = Place(
            name=str(message["name"]),
            folder=str(message["folder"]),
            manifest_sha256=str(digest) if digest else None,
            release=str(message["release"]),
        )
        try:
            loaded = await asyncio.to_thread(self._load, place)
            if not message["other_model"]:
                check_alike(self._served[place.name], loaded.service)
        except Exception as error:  # whatever it is: the old model stays, and the reason is told
            channel.send({"event": "refused", "swap": number, "reason": str(error) or type(error).__name__})
            return
        if number <= self._over:
            return
        self._prepared[number] = loaded
        channel.send({"event": "prepared", "swap": number, "about": loaded.about})

    def _load_first(self, place: Place) -> Loaded:
        try:
            return self._load(place)
        except Exception as error:  # whatever it is, there is no model then
            reason = str(error) or type(error).__name__
            raise LoadError(f"the model in {place.folder} is refused: {reason}") from error

    def _load(self, place: Place) -> Loaded:
        service = load_service(
            Path(place.folder),
            place.manifest_sha256,
            place.release,
            self._threads,
            place.name,
            batch_bytes=self._batch_bytes,
        )
        return Loaded(name=place.name, service=service, one_row=measure(service))

    def _install(self, model: Loaded) -> None:
        target = self._shadows if model.name in self._shadowing else self.engine
        target.install(model.name, model.service, model.one_row)
        self._served[model.name] = model.service
        self._observer.serving(model.service, model.name)


def check_alike(old: Service, new: Service) -> None:
    """SwapError unless `new` is of the same model and takes the same features, as the callers of `old` send them."""
    if new.spec.name != old.spec.name:
        raise SwapError(
            f"the artefact is of model {new.spec.name!r}, but {old.spec.name!r} is served; "
            'say "other_model" if that is meant'
        )
    if new.spec.features != old.spec.features:
        raise SwapError(
            f"the artefact takes {', '.join(new.spec.features)}, but what is served takes "
            f'{", ".join(old.spec.features)}; say "other_model" if that is meant'
        )
    for before, after in zip(old.spec.feature_columns, new.spec.feature_columns, strict=True):
        if after.type != before.type:
            raise SwapError(
                f"the artefact's feature {after.name!r} is of type {after.type}, but what is served takes "
                f'{before.type}; say "other_model" if that is meant'
            )
        if after.categories != before.categories:
            raise SwapError(
                f"the categories of the artefact's feature {after.name!r} are {_short(after.categories)}, but those of "
                f'what is served are {_short(before.categories)}; say "other_model" if that is meant'
            )


def _short(categories: Sequence[str]) -> str:
    shown = ", ".join(categories[:_SHOWN])
    return f"{shown} and {len(categories) - _SHOWN} more" if len(categories) > _SHOWN else shown
