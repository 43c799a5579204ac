"""The specification as msgspec types, made once at load: what they accept, the exact validation accepts as well.

The reverse need not hold: whatever is refused here is looked at again by the exact way, which words the refusal. So a
type may be narrower than the rules, and never wider.
"""

import enum
from typing import Annotated, Any, Final, cast

import msgspec

from models.schema import Column
from models.spec import ModelSpec
from serving.core.validation import FLOAT32_MAX

NAN: Final = float("nan")
_EXACT_INTEGERS: Final = 2.0**53
"""Below, every whole number is a float64, so that comparing as a float64 is comparing."""


class Category(float, enum.Enum):
    """A category that is read by its name and is its index: msgspec looks the text up, and packing sees a number."""

    def __new__(cls, name: str, index: int) -> "Category":
        """The member called `name`, at `index` of the column's categories."""
        member = float.__new__(cls, index)
        member._value_ = cast("Any", name)
        return member


class RowTypes:
    """The types of one model's rows."""

    def __init__(self, spec: ModelSpec) -> None:
        columns = spec.feature_columns
        self.features: Final = spec.features
        self.values: Final = tuple(_value_type(column) for column in columns)
        self.nullable: Final = tuple(i for i, column in enumerate(columns) if column.nullable)
        # A column's name may be a word of Python's.
        fields = [(f"f{i}", kind) for i, kind in enumerate(self.values)]
        self.named: Final[Any] = msgspec.defstruct(
            "Row",
            fields,
            rename={f"f{i}": name for i, name in enumerate(spec.features)},
            forbid_unknown_fields=True,
            gc=False,
        )
        """A row by name; `msgspec.structs.astuple` gives its values in the order of the features."""
        self.ordered: Final[Any] = tuple[self.values]
        """A row as an array in the order of the features."""


def compilable(spec: ModelSpec) -> bool:
    """Whether the rules of every feature can be said in msgspec's types."""
    limits = [limit for column in spec.feature_columns for limit in (column.minimum, column.maximum)]
    return all(abs(limit) < _EXACT_INTEGERS for limit in limits if limit is not None)


def _value_type(column: Column) -> Any:
    kind: Any = _category_type(column) if column.type == "category" else _number_type(column)
    return kind | None if column.nullable else kind


def _category_type(column: Column) -> Any:
    members = [(f"c{i}", (name, i)) for i, name in enumerate(column.categories)]
    return cast("Any", Category)(column.name, members)


def _number_type(column: Column) -> Any:
    low = -FLOAT32_MAX if column.minimum is None else column.minimum
    high = FLOAT32_MAX if column.maximum is None else column.maximum
    # An integer may be spelt 4.0, so it is read as a float without a fraction.
    step = 1.0 if column.type == "integer" else None
    return Annotated[float, msgspec.Meta(ge=float(low), le=float(high), multiple_of=step)]
