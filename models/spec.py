"""One model as its folder declares it: `models/<folder>/model.toml` parsed into a frozen `ModelSpec`.

The folder `auto_mpg` is the model `auto-mpg` (AWS names take no underscore) and the table `auto_mpg`. The same object,
as JSON, travels in the artefact, so that what serves a model knows what trained it.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Self, cast

from pydantic import Field, ValidationError, field_validator, model_validator

from models.explain import explain
from models.schema import (
    Behaviour,
    Column,
    DataChecks,
    Formats,
    Gate,
    Monitor,
    Section,
    Serving,
    Slice,
    Split,
    Training,
)

SPEC_FILE = "model.toml"
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html: one of a unit is singular, a
# cron expression has six fields, one of day of month and day of week is `?`.
_RATE = r"rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)"
_CRON = r"cron\((\S+ ){2}(\? \S+ [^?\s]+|[^?\s]+ \S+ \?) \S+\)"
_SCHEDULE = re.compile(rf"^({_RATE}|{_CRON})$")
# SageMaker job names hold 63 characters, of which the stack, the job and the execution need their share.
_FOLDER = re.compile(r"^[a-z][a-z0-9_]{1,23}$")


class SpecError(Exception):
    """A model's folder is not right; the message names file and key, and says what would be right."""


class ModelSpec(Section):
    """Everything the platform needs to know of one model."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,23}$")]
    title: str
    description: str = ""
    target: str
    key: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]
    features: Annotated[tuple[str, ...], Field(min_length=1, strict=False)]
    columns: Annotated[tuple[Column, ...], Field(min_length=2, strict=False)]
    split: Split = Split()
    data: DataChecks = DataChecks()
    slices: Annotated[tuple[Slice, ...], Field(strict=False)] = ()
    training: Training
    gates: Annotated[tuple[Gate, ...], Field(min_length=1, strict=False)]
    schedule: str = ""
    """An EventBridge expression, `rate(…)` or `cron(…)`; empty for none."""
    serving: Serving
    formats: Formats = Formats()
    monitor: Monitor = Monitor()
    behaviour: Annotated[tuple[Behaviour, ...], Field(strict=False)] = ()

    @field_validator("columns", mode="before")
    @classmethod
    def _columns_from_tables(cls, value: object) -> object:
        """`[columns.<name>]` tables of the TOML become columns that know their name."""
        if isinstance(value, Mapping):
            tables = cast("Mapping[str, Mapping[str, Any]]", value)
            return tuple({"name": name, **table} if hasattr(table, "keys") else table for name, table in tables.items())
        return value

    @field_validator("schedule")
    @classmethod
    def _schedule_expression(cls, value: str) -> str:
        if value and not _SCHEDULE.match(value):
            raise ValueError("must be an EventBridge expression such as rate(1 day) or cron(0 3 ? * SUN *)")
        return value

    @model_validator(mode="after")
    def _refers_to_known_columns(self) -> Self:
        known = {column.name for column in self.columns}
        for key, names in {
            "target": (self.target,),
            "key": self.key,
            "features": self.features,
            "slices": tuple(part.column for part in self.slices),
        }.items():
            for name in names:
                if name not in known:
                    raise ValueError(
                        f"{key} names {name!r}, which is no column; columns are {', '.join(sorted(known))}"
                    )
        for key, names in {"key": self.key, "features": self.features}.items():
            if len(set(names)) != len(names):
                raise ValueError(f"{key} must not name a column twice")
        if self.target in self.features:
            raise ValueError(f"features must not hold the target {self.target!r}")
        target = self.column(self.target)
        labelled = target.type == "category" and any(column.type == "image" for column in self.columns)
        if not (target.is_numeric or labelled) or target.nullable:
            raise ValueError(f"the target {self.target!r} must be a float or integer column that is not nullable")
        for name in self.features:
            if self.column(name).type == "string":
                raise ValueError(
                    f"feature {name!r} is a string; only float, integer and category columns can be features"
                )
        for name in self.key:
            if self.column(name).nullable:
                raise ValueError(f"key column {name!r} must not be nullable")
        return self

    @model_validator(mode="after")
    def _slices_suit_their_columns(self) -> Self:
        for part in self.slices:
            if self.column(part.column).is_numeric == (part.width is None):
                raise ValueError(f"slices: {part.column!r} needs a width if it is a number, and only then")
            if self.column(part.column).type == "string":
                raise ValueError(f"slices: {part.column!r} is a string; only numbers and categories can be sliced by")
        return self

    @model_validator(mode="after")
    def _an_image_is_the_only_feature(self) -> Self:
        images = [column.name for column in self.columns if column.type == "image"]
        used = {*self.key, *(part.column for part in self.slices)} & set(images)
        if images and (self.features != tuple(images) or used):
            raise ValueError(f"columns: the image {images[0]!r} must be the only feature, and nothing else")
        return self

    @model_validator(mode="after")
    def _behaviour_of_numbers(self) -> Self:
        for expectation in self.behaviour:
            if expectation.column not in self.features or not self.column(expectation.column).is_numeric:
                raise ValueError(
                    f"behaviour: {expectation.column!r} is no feature that is a number; only such a one has a direction"
                )
        return self

    @property
    def table(self) -> str:
        """The name of the Iceberg table, and of the folder."""
        return self.name.replace("-", "_")

    @property
    def feature_columns(self) -> tuple[Column, ...]:
        """The columns the network sees, in its order."""
        return tuple(self.column(name) for name in self.features)

    @property
    def image(self) -> Column | None:
        """The one feature of a model that looks at images; None for a model of a table's columns."""
        return next((column for column in self.feature_columns if column.type == "image"), None)

    @property
    def target_column(self) -> Column:
        """The column that is predicted."""
        return self.column(self.target)

    @property
    def digest(self) -> str:
        """sha256 of the specification, hex."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def column(self, name: str) -> Column:
        """The column called `name`; KeyError when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def to_json(self) -> str:
        """The specification as the artefact's `spec.json` holds it."""
        return self.model_dump_json(indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str, origin: str = "spec.json") -> Self:
        """Read back what `to_json` wrote; SpecError names what does not fit."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise SpecError(explain(origin, error)) from error


def parse_spec(folder_name: str, text: str, origin: str) -> ModelSpec:
    """The specification in the TOML `text` of the model folder `folder_name`."""
    if not _FOLDER.match(folder_name):
        raise SpecError(
            f"{origin}: the folder {folder_name!r} must be 2 to 24 lower-case letters, digits and underscores, "
            "beginning with a letter, as auto_mpg"
        )
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{origin}: no valid TOML: {error}") from error
    try:
        spec = ModelSpec.model_validate({**document, "name": folder_name.replace("_", "-")})
    except ValidationError as error:
        raise SpecError(explain(origin, error)) from error
    # serving/ reads the specification from an artefact. All else reads it here, and would fail far from the reason.
    for column in spec.columns:
        if column.type == "image":
            raise SpecError(
                f"{origin}: columns.{column.name}: a model of images can be served, but the lake, training and the "
                "baseline cannot take a column of type image yet; expected float, integer, string or category"
            )
    return spec


def load_spec(folder: Traversable) -> ModelSpec:
    """The model in `folder`, which may lie in a zip (the Glue jobs import this package from one)."""
    file = folder / SPEC_FILE
    origin = f"models/{folder.name}/{SPEC_FILE}"
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise SpecError(f"{origin}: no such file; a model folder holds {SPEC_FILE} and network.py") from error
    except UnicodeDecodeError as error:
        raise SpecError(f"{origin}: not UTF-8 text ({error.reason} at byte {error.start})") from error
    return parse_spec(folder.name, text, origin)


def discover(models_dir: Traversable) -> tuple[ModelSpec, ...]:
    """Every model under `models_dir`, by name; a folder without model.toml is no model."""
    folders = (entry for entry in models_dir.iterdir() if entry.is_dir() and (entry / SPEC_FILE).is_file())
    return tuple(load_spec(folder) for folder in sorted(folders, key=lambda entry: entry.name))


def find_spec(models_dir: Traversable, name: str) -> ModelSpec:
    """The model called `name` (`auto-mpg`, or its folder `auto_mpg`); SpecError lists the models there are."""
    folder = models_dir / name.replace("-", "_")
    if not name or not (folder / SPEC_FILE).is_file():
        known = ", ".join(spec.name for spec in discover(models_dir)) or "none"
        raise SpecError(f"unknown model {name!r}; models are: {known}")
    return load_spec(folder)
