"""What `drivetrain predict --batch` prints.

Apart from the command, because what reads Iceberg takes two seconds to import and the other commands need not wait.
"""

from dataclasses import asdict

import boto3

from cli.connection import Connection
from cli.data_report import open_lake
from cli.output import console, errors, print_json, stage
from delivery.batch.run import Batch, BatchArgs, BatchResult
from models.spec import ModelSpec


def predict_batch(
    connection: Connection, spec: ModelSpec, source: str, snapshot: str | None, *, as_json: bool
) -> BatchResult:
    """Predict for `source`, show the progress, print the counts."""
    args = BatchArgs(spec=spec, names=connection.names, source=source, snapshot=snapshot)
    session = boto3.Session(region_name=connection.settings.region)
    lake = open_lake(connection)
    if as_json:
        found = Batch(args, session, lake, lambda line: errors.print(line, markup=False)).run()
        print_json(asdict(found))
        return found
    with stage(f"{spec.name}: predicting for {source}") as running:
        found = Batch(args, session, lake, running.note).run()
        running.outcome = f"{found.rows_predicted} rows predicted"
    _print(found)
    return found


def _print(found: BatchResult) -> None:
    by = f" by {found.release}" if found.release else ""
    console.print(f"{found.table}: {found.rows_predicted} of {found.rows_read} rows added{by}", markup=False)
    if found.rows_known:
        console.print(
            f"{found.rows_known} rows were predicted by this release before; nothing is doubled", markup=False
        )
    if found.rows_rejected:
        console.print(f"{found.rows_rejected} rows were refused; each with its reason: {found.rejects}", markup=False)
