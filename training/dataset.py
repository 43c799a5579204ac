"""The pinned snapshot's export as a job finds it in its channel: `train|validation|test.parquet` and `dataset.json`."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from models.rows import Side, feature_matrix
from models.spec import ModelSpec
from training.errors import JobError

DATASET_FILE = "dataset.json"


@dataclass(frozen=True)
class Dataset:
    """What `dataset.json` says of the export."""

    model: str
    table: str
    snapshot_id: str
    rows: int
    spec_digest: str


@dataclass(frozen=True)
class Rows:
    """The rows of one side of the split."""

    columns: dict[str, list[object]]
    features: npt.NDArray[np.float32]
    """[N, F], as `models.rows.feature_matrix` encodes them."""
    target: npt.NDArray[np.float64]
    """[N], in the target's unit."""

    def __len__(self) -> int:
        return len(self.target)


def read_dataset(folder: Path, spec: ModelSpec, snapshot_id: str) -> Dataset:
    """What `dataset.json` says; JobError when it is of another model or snapshot than the job was started for."""
    path = folder / DATASET_FILE
    try:
        document = cast("dict[str, Any]", json.loads(path.read_text(encoding="utf-8")))
        dataset = Dataset(
            model=document["model"],
            table=document["table"],
            snapshot_id=str(document["snapshot_id"]),
            rows=int(document["rows"]),
            spec_digest=document["spec_digest"],
        )
    except FileNotFoundError as error:
        raise JobError(f"dataset: no {DATASET_FILE}; the channel must hold a snapshot's export") from error
    except (ValueError, TypeError) as error:
        raise JobError(f"{DATASET_FILE}: not readable: {error}") from error
    except KeyError as error:
        raise JobError(f"{DATASET_FILE}: key {error} is missing") from error
    for key, found, expected in (
        ("model", dataset.model, spec.name),
        ("snapshot_id", dataset.snapshot_id, snapshot_id),
    ):
        if found != expected:
            raise JobError(f"{DATASET_FILE}: {key} is {found!r}, the job was started for {expected!r}")
    return dataset


def read_rows(folder: Path, side: Side, spec: ModelSpec) -> Rows:
    """The rows of one side, in the order of their keys, so that the order of a file never changes a result.

    JobError names the file and column that is missing, empty or of a wrong type.
    """
    name = f"{side}.parquet"
    columns = _read_columns(folder / name, [*dict.fromkeys([*spec.key, *spec.features, spec.target])])
    count = len(columns[spec.target])
    if count == 0:
        raise JobError(f"{name}: no rows; the split left the {side} side empty, change [split] or ingest more rows")
    order = sorted(range(count), key=lambda row: tuple(str(columns[key][row]) for key in spec.key))
    ordered: dict[str, list[object]] = {key: [values[row] for row in order] for key, values in columns.items()}
    if any(value is None for value in ordered[spec.target]):
        raise JobError(f"{name}: the target column {spec.target!r} has empty values")
    try:
        features = feature_matrix(spec, ordered)
        target = np.array(ordered[spec.target], dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise JobError(f"{name}: {error}") from error
    return Rows(columns=ordered, features=features, target=target)


def _read_columns(path: Path, names: Sequence[str]) -> dict[str, list[object]]:
    try:
        table: pa.Table = pq.read_table(path)  # pyright: ignore[reportUnknownMemberType]
    except FileNotFoundError as error:
        raise JobError(f"dataset: no {path.name}; the channel must hold a snapshot's export") from error
    except (pa.ArrowException, OSError) as error:
        raise JobError(f"{path.name}: no readable Parquet file: {error}") from error
    missing = [name for name in names if name not in table.column_names]
    if missing:
        raise JobError(f"{path.name}: column {missing[0]!r} is missing; found {', '.join(table.column_names)}")
    return {name: cast("list[object]", table.column(name).to_pylist()) for name in names}
