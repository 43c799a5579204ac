"""The zip of wheels that Glue takes: what is in it, that it is the same for the same lock, and that it is made once."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from delivery.workflows.wheels import WheelsError, build_archive, download_wheels, upload_wheels


class Bucket:
    """The two calls of S3 that an upload takes."""

    def __init__(self, code: str = "404") -> None:
        self._code, self.objects = code, dict[str, bytes]()

    def head_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": self._code}}, "HeadObject")
        return {}

    def put_object(self, Bucket: str, Key: str, Body: Any, ContentType: str) -> None:
        self.objects[Key] = Body.read()


def two_wheels(_: Path, folder: Path) -> None:
    (folder / "b_b-2.0-py3-none-any.whl").write_bytes(b"b")
    (folder / "a-1.0-cp311-cp311-manylinux_2_28_x86_64.whl").write_bytes(b"a")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "lake.lock").write_text("a==1.0\n")
    return tmp_path


def test_the_zip_is_as_glue_wants_it(project: Path) -> None:
    bucket = Bucket()
    assert upload_wheels(bucket, "artifacts", "key", project, two_wheels) is True
    with zipfile.ZipFile(io.BytesIO(bucket.objects["key"])) as archive:
        assert archive.read("wheels/requirements.txt") == b"a==1.0\nb_b==2.0\n"
        assert archive.namelist()[1:] == [
            "wheels/a-1.0-cp311-cp311-manylinux_2_28_x86_64.whl",
            "wheels/b_b-2.0-py3-none-any.whl",
        ]


def test_what_is_there_is_neither_built_nor_uploaded_again(project: Path) -> None:
    bucket = Bucket()
    bucket.objects["key"] = b"there"

    def refused(_: Path, folder: Path) -> None:
        raise AssertionError(folder)

    assert upload_wheels(bucket, "artifacts", "key", project, refused) is False
    assert bucket.objects["key"] == b"there"


def test_equal_wheels_are_equal_bytes(project: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one.zip", tmp_path / "other.zip"
    for archive in (one, other):
        build_archive(project / "requirements" / "lake.lock", archive, two_wheels)
    assert one.read_bytes() == other.read_bytes()


def test_nothing_is_uploaded_when_there_is_no_wheel(project: Path) -> None:
    bucket = Bucket()
    with pytest.raises(WheelsError, match=r"lake\.lock"):
        upload_wheels(bucket, "artifacts", "key", project, lambda _lock, _folder: None)
    assert bucket.objects == {}


def test_a_bucket_that_may_not_be_read_is_not_taken_for_an_empty_one(project: Path) -> None:
    with pytest.raises(ClientError):
        upload_wheels(Bucket("403"), "artifacts", "key", project, two_wheels)


@pytest.mark.slow
def test_what_pip_refuses_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    lock = tmp_path / "lake.lock"
    lock.write_text(f"nowhere==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(WheelsError, match=r"pip download --requirement lake\.lock failed: .*nowhere"):
        download_wheels(lock, tmp_path)
