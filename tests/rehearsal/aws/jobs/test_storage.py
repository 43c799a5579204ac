"""What lies below a prefix lands at its path below it, and nowhere else."""

from pathlib import Path
from typing import Any

import pytest

from rehearsal.aws.jobs.storage import Location, TransferError, download


class Bucket:
    """As much of an S3 client as a download needs."""

    def __init__(self, *keys: str) -> None:
        self.keys = keys

    def get_paginator(self, name: str) -> "Bucket":
        return self

    def paginate(self, **where: str) -> list[dict[str, Any]]:
        return [{"Contents": [{"Key": key}]} for key in self.keys if key.startswith(where["Prefix"])]

    def download_file(self, bucket: str, key: str, path: str) -> None:
        Path(path).write_text(key)


@pytest.mark.parametrize(
    ("uri", "files"),
    [
        ("s3://lake/exports/one/", ["deep/b.parquet", "train.parquet"]),
        ("s3://lake/exports/one", ["deep/b.parquet", "train.parquet"]),
        ("s3://lake/exports/one/train.parquet", ["train.parquet"]),
    ],
)
def test_a_prefix_is_copied(tmp_path: Path, uri: str, files: list[str]) -> None:
    bucket = Bucket("exports/one/train.parquet", "exports/one/deep/b.parquet", "exports/one/", "elsewhere")
    assert download(bucket, uri, tmp_path) == len(files)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()) == files


def test_nothing_below_a_prefix_and_a_key_that_leads_outside_are_errors(tmp_path: Path) -> None:
    with pytest.raises(TransferError, match="No S3 objects found under S3 URL 's3://lake/none/'"):
        download(Bucket(), "s3://lake/none/", tmp_path)
    with pytest.raises(TransferError, match="outside the job's folder"):
        download(Bucket("a/../../x"), "s3://lake/a/", tmp_path)


@pytest.mark.parametrize("uri", ["", "lake/x", "https://lake/x", "s3:///x"])
def test_what_is_no_uri_is_refused(uri: str) -> None:
    with pytest.raises(TransferError, match="not an S3 URI"):
        Location.parse(uri)
