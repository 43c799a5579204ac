"""The cars as a job finds them: an export under a base folder, and the job's own configuration files."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.auto_mpg.source import fetch
from models.rows import split_of
from models.spec import ModelSpec
from training.container import Container
from training.specs import spec_named

SNAPSHOT = "4242"
QUICK = {"epochs": "30", "members": "4", "width": "16", "evaluate_every": "1", "checkpoint_every": "5", "threads": "1"}
PROJECT = Path(__file__).parents[2]


def read_cars(spec: ModelSpec) -> list[dict[str, Any]]:
    """The 398 cars with a target, typed as the lake's table holds them."""
    parse = {"float": float, "integer": int, "string": str, "category": str}
    rows = csv.DictReader(io.StringIO(fetch().decode()))
    kept = (row for row in rows if row[spec.target])
    return [{c.name: parse[c.type](row[c.name]) if row[c.name] else None for c in spec.columns} for row in kept]


@dataclass(frozen=True)
class Job:
    """A job's base folder, to be filled and then run in this process or in one of its own."""

    base: Path
    spec: ModelSpec

    def export(self, folder: Path | None = None, cars: list[dict[str, Any]] | None = None, **changes: object) -> Path:
        folder = folder or self.base / "input/data/dataset"
        folder.mkdir(parents=True, exist_ok=True)
        cars = read_cars(self.spec) if cars is None else cars
        types = {"float": pa.float64(), "integer": pa.int64(), "string": pa.string(), "category": pa.string()}
        schema = pa.schema([(column.name, types[column.type]) for column in self.spec.columns])
        for side in ("train", "validation", "test"):
            rows = [car for car in cars if split_of(self.spec.split, [car[key] for key in self.spec.key]) == side]
            pq.write_table(pa.Table.from_pylist(rows, schema), folder / f"{side}.parquet")
        document = {"model": self.spec.name, "table": self.spec.table, "snapshot_id": SNAPSHOT, "rows": len(cars)}
        document |= {"spec_digest": self.spec.digest, **changes}
        (folder / "dataset.json").write_text(json.dumps(document))
        return folder

    def configure(self, **hyperparameters: str) -> "Job":
        """Write the hyperparameters, over quick ones; an empty value leaves a key out."""
        folder = self.base / "input/config"
        folder.mkdir(parents=True, exist_ok=True)
        values = {"model": self.spec.name, "snapshot_id": SNAPSHOT, **QUICK, **hyperparameters}
        document = {key: value for key, value in values.items() if value}
        (folder / "hyperparameters.json").write_text(json.dumps(document))
        (folder / "resourceconfig.json").write_text('{"current_host": "algo-1", "hosts": ["algo-1"]}')
        return self

    def container(self, **environment: str) -> Container:
        return Container(self.base, {"GIT_COMMIT": "c0ffee", **environment})

    def start(self, command: str, **environment: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "training", command],
            cwd=PROJECT,
            env={**os.environ, "SAGEMAKER_BASE_DIR": str(self.base), "GIT_COMMIT": "c0ffee", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def manifest(self) -> dict[str, Any]:
        return json.loads((self.base / "model/manifest.json").read_text())

    def failure(self) -> str:
        return (self.base / "output/failure").read_text()


@pytest.fixture(scope="session")
def spec() -> ModelSpec:
    return spec_named("auto-mpg")


@pytest.fixture(scope="session")
def cars(spec: ModelSpec) -> list[dict[str, Any]]:
    return read_cars(spec)


@pytest.fixture
def make_job(tmp_path: Path, spec: ModelSpec) -> Callable[[str], Job]:
    return lambda name: Job(tmp_path / name, spec)


@pytest.fixture
def job(make_job: Callable[[str], Job]) -> Job:
    """A job ready to train quickly."""
    job = make_job("job")
    job.export()
    return job.configure()
