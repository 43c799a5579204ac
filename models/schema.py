"""The sections of `model.toml`: the table, the split, the gates and what training, serving and monitoring need."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Fraction = Annotated[float, Field(gt=0, lt=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
InstanceType = Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")]
Metric = Literal["mae", "rmse", "r2", "mape"]
Format = Literal["fp32", "int8", "fp16"]
"""How the weights of a graph are stored; inputs, outputs and arithmetic are float32 in each."""
# Of a column with more categories, that many are named in a message.
_SHOWN_CATEGORIES = 10
# Below it float64 holds every whole number; above it an exponent is easier to read.
_LONGEST_WHOLE = 1e15
Hyperparameter = str | int | float | bool


def spelt(value: float) -> str:
    """A number with every digit that it has, a whole one without a point."""
    return str(int(value)) if float(value).is_integer() and abs(value) < _LONGEST_WHOLE else repr(float(value))


class Section(BaseModel):
    """A part of a document that people write: frozen, and an unknown key is an error, not a surprise."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Column(Section):
    """One column of the table: its type, its unit and the values it may take."""

    name: Name
    type: Literal["float", "integer", "string", "category", "image"]
    unit: str = ""
    description: str = ""
    minimum: float | None = None
    maximum: float | None = None
    categories: Annotated[tuple[str, ...], Field(strict=False)] = ()
    nullable: bool = False
    pii: bool = False
    """Personal: no value of it is in captured traffic or in the artefact's baseline; nothing shows or measures it."""
    height: int | None = Field(default=None, ge=1, le=2048)
    """Of an image, in pixels, as the network takes it."""
    width: int | None = Field(default=None, ge=1, le=2048)
    channels: Literal[1, 3] | None = None
    """1 for grey, 3 for red, green and blue."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        numeric = self.type in {"float", "integer"}
        if not numeric and (self.minimum is not None or self.maximum is not None):
            raise ValueError(f"a column of type {self.type} has no minimum or maximum")
        if self.minimum is not None and self.maximum is not None and self.minimum >= self.maximum:
            raise ValueError(f"minimum {spelt(self.minimum)} must be below maximum {spelt(self.maximum)}")
        if (self.type == "category") != bool(self.categories):
            raise ValueError("categories must be given for a column of type category, and only for such a one")
        if len(set(self.categories)) != len(self.categories):
            raise ValueError("categories must not repeat")
        given = [size is not None for size in (self.height, self.width, self.channels)]
        if given != [self.type == "image"] * 3:
            raise ValueError(
                "height, width and channels must be given for a column of type image, and only for such a one"
            )
        if self.type == "image" and self.nullable:
            raise ValueError("an image must not be nullable")
        return self

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image; ValueError for a column that is none."""
        if self.channels is None or self.height is None or self.width is None:
            raise ValueError(f"{self.name} is no image")
        return self.channels, self.height, self.width

    @property
    def is_numeric(self) -> bool:
        """Whether the column holds numbers."""
        return self.type in {"float", "integer"}

    @property
    def stand_in(self) -> float | int | str:
        """A value that the column takes, from the specification alone: the middle of its range, its first category."""
        if not self.is_numeric:
            return next(iter(self.categories), "")
        known = [bound for bound in (self.minimum, self.maximum) if bound is not None]
        middle = sum(known) / len(known) if known else 0.0
        return round(middle) if self.type == "integer" else middle

    @property
    def expectation(self) -> str:
        """What the column takes, in words: `a number from 1 to 100 mi/gal`."""
        if self.type == "category":
            shown = ", ".join(self.categories[:_SHOWN_CATEGORIES])
            more = len(self.categories) - _SHOWN_CATEGORIES
            words = f"one of {shown}" + (f" and {more} more" if more > 0 else "")
        elif self.type == "string":
            words = "text"
        elif self.type == "image":
            words = f"an image of {self.width} × {self.height} pixels in {'grey' if self.channels == 1 else 'colour'}"
        else:
            words = "a number" if self.type == "float" else "a whole number"
            if self.minimum is not None and self.maximum is not None:
                words += f" from {spelt(self.minimum)} to {spelt(self.maximum)}"
            elif self.minimum is not None:
                words += f" of at least {spelt(self.minimum)}"
            elif self.maximum is not None:
                words += f" of at most {spelt(self.maximum)}"
            unlimited = self.minimum is None and self.maximum is None
            words += f" {'in ' if unlimited else ''}{self.unit}" if self.unit else ""
        return words + (", or nothing" if self.nullable else "")


class Split(Section):
    """How rows are dealt to training, validation and test: by key hash, so that a row never changes sides."""

    seed: int = 0
    test_fraction: Fraction = 0.2
    validation_fraction: Fraction = 0.1
    """Of all rows, taken from what is not test."""

    @model_validator(mode="after")
    def _leaves_training_rows(self) -> Self:
        if self.test_fraction + self.validation_fraction >= 0.9:
            raise ValueError(
                "test_fraction + validation_fraction must stay below 0.9, or too little is left to train on"
            )
        return self


class DataChecks(Section):
    """What the whole table must fulfil before anything is trained on it."""

    minimum_rows: int = Field(default=100, ge=1)
    maximum_null_fraction: float = Field(default=0.2, ge=0, le=1)


class Slice(Section):
    """A part of the test rows whose metrics are shown apart: by value, or by ranges of `width` of a number."""

    column: Name
    width: float | None = Field(default=None, gt=0)


class Gate(Section):
    """A condition that a trained model meets before it is registered."""

    metric: Metric
    maximum: float | None = None
    minimum: float | None = None
    better_than_baseline_by: float | None = None
    """Least improvement over the linear baseline, as a fraction of the baseline's metric (0.18 is 18 %)."""
    better_than_released_by: float | None = None
    """The same against the released model; below zero it is how much worse a new model may be."""

    @model_validator(mode="after")
    def _has_a_rule(self) -> Self:
        rules = (self.maximum, self.minimum, self.better_than_baseline_by, self.better_than_released_by)
        if all(rule is None for rule in rules):
            raise ValueError("a gate needs maximum, minimum, better_than_baseline_by or better_than_released_by")
        if self.maximum is not None and self.minimum is not None and self.minimum > self.maximum:
            raise ValueError(f"minimum {self.minimum:g} must not be above maximum {self.maximum:g}")
        return self


class Behaviour(Section):
    """What is expected of the model's predictions when one feature moves and all else stays: a test of each release."""

    column: Name
    direction: Literal["up", "down"]
    share: Fraction = 0.75
    """Of the rows, that many at least have to follow."""


class Training(Section):
    """The training job's machine and limits, and what the network is told."""

    instance_type: InstanceType
    instance_count: int = Field(default=1, ge=1, le=1)
    """One: the training loop does not spread over several machines."""
    spot: bool = True
    max_runtime_s: int = Field(default=3600, ge=60, le=5 * 24 * 3600)
    max_wait_s: int = Field(default=7200, ge=60, le=5 * 24 * 3600)
    """Longest wait for spot capacity, running time included."""
    volume_gb: int = Field(default=30, ge=1, le=16384)
    hyperparameters: dict[str, Hyperparameter] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _waits_long_enough(self) -> Self:
        if self.spot and self.max_wait_s < self.max_runtime_s:
            raise ValueError(f"max_wait_s ({self.max_wait_s}) must be at least max_runtime_s ({self.max_runtime_s})")
        return self


class Scaling(Section):
    """Autoscaling of an endpoint of instances."""

    minimum: int = Field(default=1, ge=1)
    maximum: int = Field(default=4, ge=1)
    invocations_per_instance_per_minute: int = Field(default=6000, ge=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.maximum < self.minimum:
            raise ValueError(f"maximum ({self.maximum}) must be at least minimum ({self.minimum})")
        return self


class Serverless(Section):
    """Size of a serverless endpoint."""

    memory_mb: Literal[1024, 2048, 3072, 4096, 5120, 6144] = 2048
    max_concurrency: int = Field(default=5, ge=1, le=200)


class Asynchronous(Section):
    """An endpoint that takes its requests from S3 and answers into S3, and nothing else (SageMaker has no both)."""

    max_concurrent: int = Field(default=4, ge=1, le=1000)
    """Requests that an instance has in hand at once."""
    backlog_per_instance: int = Field(default=5, ge=1)
    """Requests waiting per instance above which there come more instances."""
    notify: bool = True
    """Whether each answer and each failure is published on the model's topic."""


class Serving(Section):
    """The endpoint: instances or serverless (which of them, the stack decides), limits and how it is updated."""

    instance_type: InstanceType
    scaling: Scaling = Scaling()
    serverless: Serverless = Serverless()
    asynchronous: Asynchronous | None = None
    """Only on instances: SageMaker takes no serverless endpoint that is asynchronous."""
    max_rows: int = Field(default=1000, ge=1)
    max_body_bytes: int = Field(default=1_000_000, ge=1024, le=25_000_000)
    """SageMaker takes at most 25 MB a request."""
    deployment: Literal["canary", "rolling"] = "canary"


class Formats(Section):
    """Smaller forms of the graph that are tried after training, and the one that is served."""

    tried: Annotated[tuple[Literal["int8", "fp16"], ...], Field(strict=False)] = ("int8", "fp16")
    tolerance: float = Field(default=0.01, ge=0, lt=1)
    """By how much of it the first gate's metric may be worse than with float32, on the validation rows."""
    served: Format = "fp32"

    @model_validator(mode="after")
    def _serves_what_is_tried(self) -> Self:
        if self.served not in ("fp32", *self.tried):
            raise ValueError(f"served is {self.served!r}, which is not among tried")
        return self


class Monitor(Section):
    """When an endpoint or its data counts as unwell."""

    p99_latency_ms: float = Field(default=200, gt=0)
    error_rate: Fraction = 0.01
    capture_percent: int = Field(default=100, ge=0, le=100)
    drift_psi: float = Field(default=0.2, gt=0)
    """Population stability index of a feature above which it has drifted."""
    quality_metric_maximum: float | None = Field(default=None, gt=0)
    """Limit of the first gate's metric on labelled traffic; none for that gate's own maximum."""


def graph_file(form: Format) -> str:
    """The artefact's file that holds the graph in that format."""
    return "model.onnx" if form == "fp32" else f"model.{form}.onnx"
