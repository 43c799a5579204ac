"""Artefacts are what their bytes are, on both sides of a copy."""

import base64
import functools
import hashlib
import io
import tarfile
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from delivery.releases import artefacts
from delivery.releases.artefacts import ArtefactError, Location, copy, copy_folder, parse_location, read_contents

HERE, THERE = Location(bucket="here", key="models/a.tar.gz"), Location(bucket="there", key="models/a.tar.gz")


@functools.cache
def _session() -> Any:
    """Reads the services' descriptions once."""
    return boto3.Session(region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = _session().client("s3")
        for bucket in ("here", "there"):
            client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield client


def put(s3: Any, location: Location, body: bytes) -> str:
    s3.put_object(Bucket=location.bucket, Key=location.key, Body=body)
    return hashlib.sha256(body).hexdigest()


def archive(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name.replace("_", "."))
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def test_bytes_and_manifest_are_read_in_one_pass(s3: Any) -> None:
    manifest = b'{"git_commit": "abc"}'
    # Bytes behind the archive's end count too: they are part of what is pinned.
    digest = put(s3, HERE, archive(model_onnx=b"graph" * 1000, manifest_json=manifest, spec_json=b"{}"))
    contents = read_contents(s3, HERE)
    assert (contents.sha256, contents.manifest_sha256) == (digest, hashlib.sha256(manifest).hexdigest())
    assert contents.manifest == {"git_commit": "abc"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"no archive", "no readable artefact"),
        (archive(model_onnx=b"graph"), r"holds no manifest\.json"),
        (archive(manifest_json=b"{}"), r"holds no spec\.json"),
        (archive(manifest_json=b"{", spec_json=b"{}"), "no readable artefact"),
        (archive(manifest_json=b"[]", spec_json=b"{}"), r"manifest\.json in it is no JSON object"),
        (archive(model_onnx=b"graph" * 10_000, manifest_json=b"{}")[:60], "no readable artefact"),
    ],
)
def test_what_is_no_artefact_is_said(s3: Any, body: bytes, said: str) -> None:
    put(s3, HERE, body)
    with pytest.raises(ArtefactError, match=rf"s3://here/models/a\.tar\.gz: .*{said}"):
        read_contents(s3, HERE)


@pytest.mark.parametrize("bucket", ["here", "nowhere"])
def test_what_is_not_there_is_said(s3: Any, bucket: str) -> None:
    with pytest.raises(ArtefactError, match=f"s3://{bucket}/gone is not there"):
        read_contents(s3, Location(bucket=bucket, key="gone"))


def test_a_copy_is_made_once_and_s3_keeps_its_checksum(s3: Any) -> None:
    digest = put(s3, HERE, b"a model")
    assert copy(s3, s3, HERE, THERE, digest)
    assert not copy(s3, s3, HERE, THERE, digest)
    kept = s3.head_object(Bucket="there", Key=THERE.key, ChecksumMode="ENABLED")["ChecksumSHA256"]
    assert base64.b64decode(kept).hex() == digest


def test_other_bytes_are_not_copied_and_wrong_ones_replaced(s3: Any) -> None:
    digest = put(s3, HERE, b"a model")
    with pytest.raises(ArtefactError, match=r"s3://here/models/a\.tar\.gz: sha256 is .* it is not copied"):
        copy(s3, s3, HERE, THERE, "0" * 64)
    assert "Contents" not in s3.list_objects_v2(Bucket="there")
    put(s3, THERE, b"half a mo")
    assert copy(s3, s3, HERE, THERE, digest)
    assert s3.get_object(Bucket="there", Key=THERE.key)["Body"].read() == b"a model"


def test_what_is_too_large_for_one_request_is_read_back(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artefacts, "_LARGEST_PUT", 3)
    digest = put(s3, HERE, b"a model")
    assert copy(s3, s3, HERE, THERE, digest)
    assert not copy(s3, s3, HERE, THERE, digest)


def test_a_folder_is_copied_with_what_lies_below(s3: Any) -> None:
    for key in ("runs/1/card.md", "runs/1/plots/a.png", "runs/2/card.md"):
        put(s3, Location(bucket="here", key=key), key.encode())
    folder = Location(bucket="here", key="runs/1/")
    assert copy_folder(s3, s3, folder, folder.in_bucket("there")) == 2
    assert copy_folder(s3, s3, folder, folder.in_bucket("there")) == 0
    assert [each["Key"] for each in s3.list_objects_v2(Bucket="there")["Contents"]] == [
        "runs/1/card.md",
        "runs/1/plots/a.png",
    ]


def test_a_location_is_read_from_its_uri() -> None:
    assert parse_location("s3://here/models/a.tar.gz") == HERE
    assert HERE.uri == "s3://here/models/a.tar.gz"
