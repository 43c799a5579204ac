"""Which models are served, where their artefacts lie, and how requests are shared between them.

SERVING_VARIANTS names a JSON file such as

    {"variants": [{"name": "blue", "folder": "/models/3", "weight": 9},
                  {"name": "green", "folder": "/models/4", "manifest_sha256": "…", "release": "…", "weight": 1},
                  {"name": "next", "folder": "/models/5", "shadow": true}]}

Weights are shares of their sum. Which variant answers is decided by the request's id, or at random with
`"by": "random"`. A shadow gets copies, and answers nobody. Standard library only: the supervisor imports this.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, cast

# SageMaker's rule for the names of variants; they go into headers and into the paths of captured traffic.
_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9-]{0,62}")
_KEYS = {"name", "folder", "manifest_sha256", "release", "weight", "shadow"}


class PlacesError(Exception):
    """The file of variants cannot be used; the message names the key and what would be right."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """One model to serve."""

    name: str
    """Of the variant; empty where there is only one model."""
    folder: str
    """Where the artefact lies."""
    manifest_sha256: str | None = None
    """Expected sha256 (hex) of manifest.json; None when it is not pinned."""
    release: str = ""
    weight: float = 1.0
    shadow: bool = False
    """Whether it gets copies only."""


@dataclass(frozen=True, kw_only=True)
class Places:
    """All models of the process group, the default one first."""

    models: tuple[Place, ...]
    by: Literal["request_id", "random"] = "request_id"

    @property
    def default(self) -> Place:
        """The one that pages and `/ping` speak of."""
        return self.models[0]

    def find(self, name: str) -> Place | None:
        """The variant called `name`."""
        return next((place for place in self.models if place.name == name), None)

    def put(self, place: Place) -> "Places":
        """The same with `place` for the variant of its name."""
        return replace(self, models=tuple(place if old.name == place.name else old for old in self.models))


def read_places(file: Path) -> Places:
    """The variants in `file`; PlacesError says what is wrong with it."""
    try:
        document: object = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise PlacesError(f"{file}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise PlacesError(f"{file}: no valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise PlacesError(f'{file}: expected an object with "variants"')
    content = cast("Mapping[str, object]", document)
    by = content.get("by", "request_id")
    if by not in ("request_id", "random"):
        raise PlacesError(f'{file}: by is {by!r}; expected "request_id" or "random"')
    listed = content.get("variants")
    if not isinstance(listed, list) or not listed:
        raise PlacesError(f"{file}: variants must list at least one")
    models = tuple(_place(file, number, entry) for number, entry in enumerate(cast("list[object]", listed)))
    return Places(models=_checked(file, models), by=by)


def _checked(file: Path, models: tuple[Place, ...]) -> tuple[Place, ...]:
    """The models, those that answer before those that shadow."""
    names = [place.name for place in models]
    for name in names:
        if names.count(name) > 1:
            raise PlacesError(f"{file}: there are two variants {name!r}")
    if not sum(place.weight for place in models if not place.shadow) > 0:
        raise PlacesError(f"{file}: no variant answers; expected one that is no shadow with a weight above 0")
    return tuple(sorted(models, key=lambda place: place.shadow or place.weight <= 0))


def _place(file: Path, number: int, entry: object) -> Place:
    where = f"{file}: variants[{number}]"
    if not isinstance(entry, dict):
        raise PlacesError(f"{where}: expected an object with name, folder and weight")
    content = cast("Mapping[str, object]", entry)
    unknown = sorted(content.keys() - _KEYS)
    if unknown:
        raise PlacesError(f"{where}: unknown key {unknown[0]!r}; expected {', '.join(sorted(_KEYS))}")
    texts = {key: content.get(key, "") for key in ("name", "folder", "manifest_sha256", "release")}
    for key, text in texts.items():
        if not isinstance(text, str) or (key in ("name", "folder") and not text):
            raise PlacesError(f"{where}: {key} is {text!r}; expected a text")
    if not _NAME.fullmatch(str(texts["name"])):
        raise PlacesError(
            f"{where}: name is {texts['name']!r}; expected up to 63 letters, digits and hyphens, no hyphen first"
        )
    weight, shadow = content.get("weight", 1.0), content.get("shadow", False)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < float("inf"):
        raise PlacesError(f"{where}: weight is {weight!r}; expected a number from 0")
    if not isinstance(shadow, bool):
        raise PlacesError(f"{where}: shadow is {shadow!r}; expected true or false")
    return Place(
        name=str(texts["name"]),
        folder=str(texts["folder"]),
        manifest_sha256=str(texts["manifest_sha256"]).lower() or None,
        release=str(texts["release"]),
        weight=float(weight),
        shadow=shadow,
    )
