"""What a stream says of its columns, compared with the specification: which column is which feature, and how it lies.

A caller sends the same schema with every request, so what was found of it is kept, by its bytes.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from models.schema import Column
from serving.core.codec.arrow_messages import Table, malformed
from serving.core.errors import RequestError
from serving.core.matrix_rules import Bounds, Mask, MatrixRules

_TYPES: Final = (
    "none null int float binary utf8 bool decimal date time timestamp interval list struct union fixed_size_binary "
    "fixed_size_list map duration large_binary large_utf8 large_list run_end_encoded binary_view utf8_view list_view"
)
_TYPE_NAMES: Final = tuple(_TYPES.split())
_INT, _FLOAT, _UTF8, _LARGE_UTF8 = (_TYPE_NAMES.index(name) for name in ("int", "float", "utf8", "large_utf8"))
_WIDTHS: Final = (8, 16, 32, 64)
_MOST_FIELDS: Final = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class ColumnPlan:
    """How one column is read."""

    position: int
    """Of the feature."""
    numbers: np.dtype[np.generic] | None
    """Type of its numbers, or of its places in a dictionary; None for text."""
    offsets: np.dtype[np.generic] | None
    """Type of the offsets of its text, or of its dictionary's; None for numbers."""
    dictionary: int | None
    """Id of its dictionary."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How the batches of a stream are read."""

    columns: tuple[ColumnPlan, ...]
    """In the order of the stream."""
    buffers: int
    bounds: Bounds
    narrow: Mask
    """Which features [F] come as float32."""
    dictionaries: dict[int, ColumnPlan]


def read_schema(header: Table, rules: MatrixRules) -> Plan:
    """The plan for a schema message; RequestError names the field that is missing, unknown or of a wrong type."""
    if header.scalar(0, "h") != 0:
        raise malformed("its numbers are big-endian; expected little-endian")
    names = [field.text(0) for field in header.tables(1, _MOST_FIELDS)]
    expected = f"expected the columns {', '.join(rules.features)}"
    for name in rules.features:
        if name not in names:
            raise RequestError("missing_field", f"no such column was sent; {expected}", field=name)
    for name in names:
        if name not in rules.features or names.count(name) > 1:
            raise RequestError("extra_field", f"the column is unknown, or was sent twice; {expected}", field=name)
    columns = tuple(
        _column(field, rules.features.index(name), rules)
        for name, field in zip(names, header.tables(1, _MOST_FIELDS), strict=True)
    )
    narrow = np.zeros(len(columns), dtype=bool)
    for column in columns:
        if column.offsets is None and column.numbers is not None:
            narrow[column.position] = column.numbers.kind == "f" and column.numbers.itemsize <= 4
    return Plan(
        columns=columns,
        buffers=sum(2 if column.numbers is not None else 3 for column in columns),
        bounds=rules.rounded(narrow),
        narrow=narrow,
        dictionaries={column.dictionary: column for column in columns if column.dictionary is not None},
    )


def _column(field: Table, position: int, rules: MatrixRules) -> ColumnPlan:
    """The plan of one column; RequestError when it does not suit the feature at `position`."""
    feature = rules.columns[position]
    kind, dictionary = field.scalar(2, "B"), field.table(4)
    if feature.type == "category":
        if kind not in (_UTF8, _LARGE_UTF8):
            raise _wrong_type(feature, kind, "text, or text by dictionary")
        places = _whole_type(dictionary.table(1)) if dictionary else None
        return ColumnPlan(
            position=position,
            numbers=places,
            offsets=np.dtype("<i4" if kind == _UTF8 else "<i8"),
            dictionary=dictionary.scalar(0, "q") if dictionary else None,
        )
    about = field.table(3)
    if kind not in (_INT, _FLOAT) or dictionary or about is None:
        raise _wrong_type(feature, kind, "integers or floats")
    numbers = _whole_type(about) if kind == _INT else _float_type(about)
    return ColumnPlan(position=position, numbers=numbers, offsets=None, dictionary=None)


def _whole_type(about: Table | None) -> np.dtype[np.generic]:
    """The type that an Int table describes; without one, a dictionary's places are int32."""
    width, signed = (about.scalar(0, "i"), about.scalar(1, "B")) if about else (32, 1)
    if width not in _WIDTHS:
        raise malformed(f"an integer has {width} bits")
    return np.dtype(f"<{'i' if signed else 'u'}{width // 8}")


def _float_type(about: Table) -> np.dtype[np.generic]:
    precision = about.scalar(0, "h")
    if precision not in (0, 1, 2):
        raise malformed(f"a float has the precision {precision}")
    return np.dtype(("<f2", "<f4", "<f8")[precision])


def _wrong_type(feature: Column, kind: int, columns: str) -> RequestError:
    name = _TYPE_NAMES[kind] if kind < len(_TYPE_NAMES) else f"type {kind}"
    message = f"the column holds {name}; expected {columns}: {feature.expectation}"
    return RequestError("wrong_type", message, field=feature.name)
