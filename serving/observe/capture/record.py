"""One captured request as a line, in the format of SageMaker's data capture, so that one reader reads both.

Rows are always written as JSON by name, whatever form they came in, since only so can columns be left out: those
marked `pii` in the specification are. Keys and names of things are no features, so no request holds them.
`drivetrain` is the one key that SageMaker's lines have not: by which schema, model and release to read the line.
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
"""

import base64
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final

import msgspec
import numpy as np
import orjson

from models.schema import Column
from serving.core.job import Values
from serving.core.service import Service
from serving.core.session import Matrix

SCHEMA: Final = 1
"""Version of what the key `drivetrain` and the data in it mean; eventVersion is SageMaker's own."""
EVENT_VERSION: Final = "0"
_JSON: Final = "application/json"
_ROWS_AT_ONCE: Final = 64
"""So many rows are a tenth of a millisecond of work, after which other threads get their turn."""


class Captured(msgspec.Struct, frozen=True, gc=False):
    """A request and its answer, as the event loop hands them over."""

    service: Service
    variant: str
    rows: int
    values: Values
    predictions: Matrix
    """float32 [rows]; of a category its place."""
    body: bytes
    content_type: str
    """The request as it came; empty where its rows are written instead."""
    request_id: str
    time: float
    """Seconds since the epoch."""
    size: int = 0
    """Eight-byte values that it holds in memory."""


def line(captured: Captured, pause: Callable[[], None]) -> bytes:
    """The line of `captured`, newline included; `pause` is called between parts of the work."""
    spec = captured.service.spec
    event = {
        "captureData": {
            "endpointInput": _input(captured, pause),
            "endpointOutput": _side("OUTPUT", _dump({"predictions": _predictions(captured)})),
        },
        "eventMetadata": {
            "eventId": str(uuid.uuid4()),
            "inferenceTime": f"{datetime.fromtimestamp(captured.time, UTC):%Y-%m-%dT%H:%M:%SZ}",
            **({"inferenceId": captured.request_id} if captured.request_id else {}),
        },
        "eventVersion": EVENT_VERSION,
        "drivetrain": {
            "schema": SCHEMA,
            "model": spec.name,
            "release": captured.service.release,
            "variant": captured.variant,
            "manifest_sha256": captured.service.artefact.manifest_sha256,
        },
    }
    return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)


def _input(captured: Captured, pause: Callable[[], None]) -> dict[str, str]:
    """The rows, or the image as it came; a personal image is left out as a whole."""
    image = captured.service.spec.image
    if image is not None:
        data = "" if image.pii else base64.b64encode(captured.body).decode()
        return {"observedContentType": captured.content_type, "mode": "INPUT", "data": data, "encoding": "BASE64"}
    rows: list[bytes] = []
    for part in _row_parts(captured):
        if rows:
            pause()
        rows.append(part)
    return _side("INPUT", b'{"rows":[' + b",".join(rows) + b"]}")


def _predictions(captured: Captured) -> object:
    categories = captured.service.spec.target_column.categories
    return [categories[int(place)] for place in captured.predictions] if categories else captured.predictions


def _side(mode: str, data: bytes) -> dict[str, str]:
    return {"observedContentType": _JSON, "mode": mode, "data": data.decode(), "encoding": "JSON"}


def _dump(document: object) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def _row_parts(captured: Captured) -> Iterator[bytes]:
    """Rows by name without those that are personal, some at a time: `{…},{…}`. A missing value is null."""
    columns = captured.service.spec.feature_columns
    kept = [(position, column.name, _plain(column)) for position, column in enumerate(columns) if not column.pii]
    values = np.asarray(captured.values).reshape(captured.rows, len(columns))
    for start in range(0, captured.rows, _ROWS_AT_ONCE):
        # Numbers that came as float32 stay so: orjson then writes them as short as the caller did.
        part = [list(row) for row in values[start : start + _ROWS_AT_ONCE]]
        rows = [{name: plain(row[position]) for position, name, plain in kept} for row in part]
        yield _dump(rows)[1:-1]


def _plain(column: Column) -> Callable[[float], object]:
    """How the column's numbers become what the caller would write; NaN, which is no number, becomes nothing."""
    if column.type == "float":
        return lambda value: value if value == value else None  # noqa: PLR0124
    if column.type == "category":
        return lambda value: column.categories[int(value)] if value == value else None  # noqa: PLR0124
    return lambda value: int(value) if value == value else None  # noqa: PLR0124
