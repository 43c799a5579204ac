"""Where everything is once a rehearsal is up, and what to do next."""

import csv
import io
import json
from collections.abc import Sequence

from cli.landing import source_of
from cli.output import console
from infra.names import Names
from models.schema import Column
from models.spec import ModelSpec
from rehearsal.server import Rehearsal


def say_where(running: Rehearsal, names: Names, specs: Sequence[ModelSpec], headline: str) -> None:
    """Print the addresses of the AWS, of each endpoint and its page, and commands to go on with."""
    lines = [("AWS, rehearsed offline", running.endpoint_url)]
    for entry in running.endpoints():
        lines += [(f"{entry['endpoint']} page", f"{entry['url']}/"), ("  predictions", f"{entry['url']}/invocations")]
    width = max(len(title) for title, _ in lines)
    console.print(f"\n{headline}", markup=False)
    for title, address in lines:
        console.print(f"  {title:<{width}}  {address}", markup=False)
    example = _curl(running, names, specs)
    if example:
        console.print(f"\n{example}", markup=False)
    console.print("\nnext, after . .venv/bin/activate", markup=False)
    for spec in specs[:1]:
        console.print(f"  drivetrain predict {spec.name}         a prediction through InvokeEndpoint", markup=False)
        console.print(f"  drivetrain data {spec.name}            its versions, columns and quarantine", markup=False)
    console.print('  eval "$(drivetrain local env)"      any AWS client then works against it', markup=False)
    console.print("  drivetrain local down               end it", markup=False)


def _curl(running: Rehearsal, names: Names, specs: Sequence[ModelSpec]) -> str:
    """A request for the first endpoint whose model brings data of its own."""
    for entry in running.endpoints():
        for spec in specs:
            fetch = source_of(spec)
            if fetch is not None and entry["endpoint"] == names.endpoint(spec.name):
                row = json.dumps(example_row(spec, fetch()))
                return f"  curl -H 'Content-Type: application/json' -d '{row}' {entry['url']}/invocations"
    return ""


def example_row(spec: ModelSpec, body: bytes) -> dict[str, object]:
    """The features of the first complete row of the model's data, as JSON takes them."""
    for row in csv.DictReader(io.StringIO(body.decode())):
        if all(row[name] for name in spec.features):
            return {column.name: _value(column, row[column.name]) for column in spec.feature_columns}
    raise ValueError(f"the data of {spec.name} hold no complete row")


def _value(column: Column, text: str) -> object:
    if column.type == "integer":
        return int(text)
    return float(text) if column.type == "float" else text
