"""Predictions as an Arrow IPC stream, written by nanoarrow."""

import functools
import io
from typing import Any

from serving.core.session import Matrix


def encode_arrow(predictions: Matrix) -> bytes:
    """A stream of one batch with the column `prediction`, float32 [N] without nulls."""
    nanoarrow, writer, schema = _nanoarrow()
    column = nanoarrow.c_array_from_buffers(
        schema.child(0), length=len(predictions), buffers=[None, predictions], null_count=0
    )
    batch = nanoarrow.c_array_from_buffers(
        schema, length=len(predictions), buffers=[None], children=[column], null_count=0
    )
    file = io.BytesIO()
    with writer.from_writable(file) as stream:
        stream.write_array(batch)
    return file.getvalue()


@functools.cache
def _nanoarrow() -> tuple[Any, Any, Any]:
    """The library, its writer and the schema of an answer."""
    # 30 ms that a server which is never asked for Arrow need not spend on its start.
    import nanoarrow  # noqa: PLC0415 # pyright: ignore[reportMissingTypeStubs]
    from nanoarrow.ipc import StreamWriter  # noqa: PLC0415 # pyright: ignore[reportMissingTypeStubs]

    library: Any = nanoarrow
    prediction = library.Schema(library.Type.FLOAT, nullable=False)
    return library, StreamWriter, library.c_schema(library.struct({"prediction": prediction}, nullable=False))
