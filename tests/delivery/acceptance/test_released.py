"""Specification and baseline come out of the released artefact and no other."""

import hashlib
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from delivery.acceptance.released import made_up_row, read_released
from delivery.releases.artefacts import ArtefactError
from models.spec import load_spec
from tests.delivery.acceptance.conftest import RELEASE
from tests.serving.conftest import MODEL_FOLDER, write_artefact


class S3:
    """One object."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        assert (Bucket, Key) == ("bucket", "model.tar.gz")
        return {"Body": io.BytesIO(self.body)}


def packed(folder: Path, *leaving_out: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for file in sorted(folder.iterdir()):
            if file.name not in leaving_out:
                archive.add(file, f"./{file.name}")
    return buffer.getvalue()


def read(body: bytes) -> Any:
    release = RELEASE.model_copy(update={"artefact_sha256": hashlib.sha256(body).hexdigest()})
    return read_released(S3(body), release)


def test_rows_to_ask_with_are_training_rows_without_the_target(tmp_path: Path) -> None:
    model = read(packed(write_artefact(tmp_path / "model")))
    assert model.spec.name == model.baseline.model == "auto-mpg"
    assert [set(row) for row in model.rows] == [set(model.spec.features)] * 5


def test_of_a_personal_column_a_baseline_of_before_asks_nothing_that_was_trained_with(tmp_path: Path) -> None:
    spec = load_spec(MODEL_FOLDER)
    columns = tuple(column.model_copy(update={"pii": column.name in ("weight", "mpg")}) for column in spec.columns)
    folder = write_artefact(tmp_path / "model")
    own = {row["weight"] for row in read(packed(folder)).rows}
    (folder / "spec.json").write_text(spec.model_copy(update={"columns": columns}).to_json(), encoding="utf-8")
    model = read(packed(folder))
    assert {row["weight"] for row in model.rows} == {spec.column("weight").stand_in} != own
    told = (model.baseline.feature("weight"), model.baseline.target, model.baseline.prediction)
    assert {part.kind for part in told} == {"personal"}


def test_other_bytes_than_released_are_refused() -> None:
    with pytest.raises(ArtefactError, match=r"s3://bucket/model\.tar\.gz: sha256 is .*, but the release says 000"):
        read_released(S3(b"other"), RELEASE)


def test_an_archive_that_lacks_something_or_is_none_is_refused(tmp_path: Path) -> None:
    folder = write_artefact(tmp_path / "model")
    with pytest.raises(ArtefactError, match=r"it holds no baseline\.json"):
        read(packed(folder, "baseline.json"))
    with pytest.raises(ArtefactError, match="no readable artefact"):
        read(b"no archive at all")


def test_a_made_up_row_is_within_every_limit() -> None:
    spec = load_spec(MODEL_FOLDER)
    row = made_up_row(spec)
    assert row["cylinders"] == 9
    assert row["displacement"] == 415
    assert row["origin"] == "USA"
    assert set(row) == set(spec.features)
