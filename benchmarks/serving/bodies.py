"""The requests of the bench: the same cars in every form that somebody here takes, as files for the load generators."""

import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from benchmarks.serving.places import KEPT
from models.rows import feature_matrix
from models.spec import ModelSpec

Rows = Sequence[Mapping[str, object]]
JSON: Final = "application/json"
CSV: Final = "text/csv"
ARROW: Final = "application/vnd.apache.arrow.stream"
TENSOR: Final = "application/octet-stream"


@dataclass(frozen=True, kw_only=True)
class Form:
    """One way to write rows."""

    content_type: str
    encode: Callable[[ModelSpec, Rows], bytes]
    accept: str = JSON
    """How the answer is wanted."""


@dataclass(frozen=True, kw_only=True)
class Body:
    """A request's body as bytes and in a file."""

    content_type: str
    accept: str
    content: bytes
    file: Path

    def request(self, path: str) -> Path:
        """A file with the bytes of the whole HTTP request to `path`."""
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {self.content_type}\r\n"
            f"Accept: {self.accept}\r\n"
            f"Content-Length: {len(self.content)}\r\n\r\n"
        )
        file = self.file.with_suffix(f".{path.strip('/').replace('/', '-')}.http")
        file.write_bytes(head.encode() + self.content)
        return file


def body(spec: ModelSpec, form: str, rows: Rows) -> Body:
    """`rows` in the form of that name, one of FORMS."""
    content = FORMS[form].encode(spec, rows)
    folder = KEPT / "bodies"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{form}-{len(rows)}-{hashlib.sha256(content).hexdigest()[:8]}"
    file.write_bytes(content)
    return Body(content_type=FORMS[form].content_type, accept=FORMS[form].accept, content=content, file=file)


def _rows(_spec: ModelSpec, rows: Rows) -> bytes:
    return json.dumps(list(rows), separators=(",", ":")).encode()


def _object(_spec: ModelSpec, rows: Rows) -> bytes:
    (row,) = rows
    return json.dumps(row, separators=(",", ":")).encode()


def _named(_spec: ModelSpec, rows: Rows) -> bytes:
    return json.dumps({"cars": list(rows)}, separators=(",", ":")).encode()


def _inputs(spec: ModelSpec, rows: Rows) -> bytes:
    return json.dumps({"inputs": _matrix(spec, rows).tolist()}, separators=(",", ":")).encode()


def _v2(spec: ModelSpec, rows: Rows) -> bytes:
    data = [float(value) for value in _matrix(spec, rows).ravel()]
    shape = [len(rows), len(spec.features)]
    document: dict[str, Any] = {"name": "features", "shape": shape, "datatype": "FP32", "data": data}
    return json.dumps({"inputs": [document]}, separators=(",", ":")).encode()


def _csv(spec: ModelSpec, rows: Rows) -> bytes:
    lines = [",".join("" if row[name] is None else str(row[name]) for name in spec.features) for row in rows]
    return ("\n".join(lines) + "\n").encode()


def _arrow(spec: ModelSpec, rows: Rows) -> bytes:
    kinds = {"float": pa.float64(), "integer": pa.int64(), "category": pa.string()}
    columns = {
        column.name: pa.array([row[column.name] for row in rows], kinds[column.type]) for column in spec.feature_columns
    }
    table = pa.table(columns)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _tensor(spec: ModelSpec, rows: Rows) -> bytes:
    return _matrix(spec, rows).astype("<f4").tobytes()


def _matrix(spec: ModelSpec, rows: Rows) -> np.ndarray[Any, np.dtype[np.float32]]:
    return feature_matrix(spec, {name: [row[name] for row in rows] for name in spec.features})


FORMS: Final[dict[str, Form]] = {
    "rows": Form(content_type=JSON, encode=_rows),
    "object": Form(content_type=JSON, encode=_object),
    "named": Form(content_type=JSON, encode=_named),
    "inputs": Form(content_type=JSON, encode=_inputs),
    "v2": Form(content_type=JSON, encode=_v2),
    "csv": Form(content_type=CSV, encode=_csv, accept=CSV),
    "arrow": Form(content_type=ARROW, encode=_arrow, accept=ARROW),
    "tensor": Form(content_type=TENSOR, encode=_tensor, accept=TENSOR),
}
