from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from models.spec import ModelSpec
from training.dataset import read_dataset, read_rows
from training.errors import JobError


@pytest.fixture
def channel(job: Any) -> Path:
    return job.base / "input/data/dataset"


def test_rows_come_in_the_order_of_their_keys(channel: Path, spec: ModelSpec) -> None:
    rows = read_rows(channel, "train", spec)
    keys = [tuple(str(rows.columns[key][row]) for key in spec.key) for row in range(len(rows))]
    assert keys == sorted(keys)
    assert rows.features.shape == (len(rows), 7)
    assert rows.target.shape == (len(rows),)


def test_an_empty_side_is_named(channel: Path, spec: ModelSpec) -> None:
    path = channel / "validation.parquet"
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    with pytest.raises(JobError, match=r"validation.parquet: no rows; .*change \[split\]"):
        read_rows(channel, "validation", spec)


def test_a_missing_column_is_named(channel: Path, spec: ModelSpec) -> None:
    path = channel / "test.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["weight"]), path)
    with pytest.raises(JobError, match=r"test.parquet: column 'weight' is missing; found name, mpg"):
        read_rows(channel, "test", spec)


def test_a_truncated_file_is_named(channel: Path, spec: ModelSpec) -> None:
    path = channel / "train.parquet"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(JobError, match=r"train.parquet: no readable Parquet file"):
        read_rows(channel, "train", spec)
    path.unlink()
    with pytest.raises(JobError, match=r"no train.parquet; the channel must hold a snapshot's export"):
        read_rows(channel, "train", spec)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "dataset.json: not readable"),
        ("[]", "dataset.json: not readable"),
        ('{"model": "auto-mpg"}', "dataset.json: key 'table' is missing"),
        (
            '{"model": "other", "table": "other", "snapshot_id": "4242", "rows": 1, "spec_digest": ""}',
            "dataset.json: model is 'other', the job was started for 'auto-mpg'",
        ),
    ],
)
def test_a_wrong_description_is_named(channel: Path, spec: ModelSpec, text: str, message: str) -> None:
    (channel / "dataset.json").write_text(text)
    with pytest.raises(JobError, match=message):
        read_dataset(channel, spec, "4242")
