"""`drivetrain predict`: a row or a file through the model's endpoint, or a whole table through a transform job."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.connection import (
    DEFAULT_REHEARSAL,
    LOCAL_STACK,
    JsonOption,
    ModelArgument,
    RehearsalOption,
    StackOption,
    connect,
)
from cli.landing import source_of
from cli.output import print_json
from cli.prediction import PredictionError, invoke
from cli.whereabouts import example_row
from models.spec import ModelSpec

_CONTENT_TYPES = {".json": "application/json", ".csv": "text/csv"}

RowOption = Annotated[str | None, typer.Option("--row", help="One row as JSON, such as '{\"cylinders\": 4, …}'.")]
FileOption = Annotated[
    Path | None,
    typer.Option("--file", "-f", help="Rows in a .json or .csv file; - reads JSON from standard input."),
]

BatchOption = Annotated[
    str | None,
    typer.Option(
        "--batch",
        help="Predict for all rows of a source, into the model's table of predictions, by a Batch Transform job: "
        "curated (the model's own table), database.table, or s3://bucket/key of a .csv, .jsonl or .parquet object "
        "(all below it when it ends in /).",
    ),
]
SnapshotOption = Annotated[
    str | None, typer.Option("--snapshot", help="With --batch: a version of the table; the newest if unset.")
]


def predict(
    model: ModelArgument,
    row: RowOption = None,
    file: FileOption = None,
    batch: BatchOption = None,
    snapshot: SnapshotOption = None,
    stack: StackOption = LOCAL_STACK,
    name: RehearsalOption = DEFAULT_REHEARSAL,
    as_json: JsonOption = False,
) -> None:
    """Predict for a row or a file of rows; without either, for an example row of the model's own data."""
    if sum(given is not None for given in (row, file, batch)) > 1:
        raise typer.BadParameter("give --row, --file or --batch, not several")
    if snapshot is not None and batch is None:
        raise typer.BadParameter("--snapshot is a version of the table that --batch names")
    connection = connect(stack, name)
    spec = connection.spec(model)
    if batch is not None:
        from cli.batch import predict_batch  # noqa: PLC0415 - two seconds that only this option needs

        predict_batch(connection, spec, batch, snapshot, as_json=as_json)
        return
    body, content_type = _request(spec, row, file)
    answer = invoke(connection, spec, body, content_type)
    if as_json:
        print_json(answer.document)
        return
    for prediction in answer.predictions:
        typer.echo(f"{prediction:.2f} {answer.unit}".rstrip())


def _request(spec: ModelSpec, row: str | None, file: Path | None) -> tuple[bytes, str]:
    if row is not None:
        return row.encode(), "application/json"
    if file is None:
        fetch = source_of(spec)
        if fetch is None:
            raise typer.BadParameter(f"{spec.name} has no example data; give --row or --file")
        example = json.dumps(example_row(spec, fetch()))
        typer.echo(f"for the example row {example}", err=True)
        return example.encode(), "application/json"
    if str(file) == "-":
        return sys.stdin.buffer.read(), "application/json"
    content_type = _CONTENT_TYPES.get(file.suffix.lower())
    if content_type is None:
        raise typer.BadParameter(f"{file.name}: the endpoint takes {' and '.join(_CONTENT_TYPES)} files")
    try:
        return file.read_bytes(), content_type
    except OSError as error:
        raise PredictionError(f"{file}: {error.strerror}") from error
