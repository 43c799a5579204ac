from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from delivery.pulumi.backend import BackendError, backend_url, open_bucket, project_name, secrets_provider
from infra.settings import load_settings
from infra.sources import project_directory

SETTINGS = load_settings(project_directory(), "dev")


def test_the_state_is_in_the_bucket_of_the_bootstrap_unless_the_variable_says_where() -> None:
    assert backend_url(SETTINGS, {}) == f"s3://{SETTINGS.names.state_bucket}?region=eu-west-1&awssdk=v2"
    assert backend_url(SETTINGS, {"PULUMI_BACKEND_URL": "file:///state"}) == "file:///state"


def test_its_secrets_are_encrypted_by_the_key_of_the_bootstrap() -> None:
    assert secrets_provider(SETTINGS) == f"awskms://alias/{SETTINGS.names.state_key_alias}?region=eu-west-1"


def test_a_folder_holds_files_by_their_keys(tmp_path: Path) -> None:
    bucket = open_bucket(f"file://{tmp_path}")
    bucket.write(".pulumi/stacks/p/dev.json", "one")
    bucket.write(".pulumi/stacks/p/dev.json", "two")
    bucket.write(".pulumi/locks/x.json", "lock")
    assert bucket.keys(".pulumi/stacks") == [".pulumi/stacks/p/dev.json"]
    assert bucket.read(".pulumi/stacks/p/dev.json") == "two"
    assert bucket.url_of("k") == f"file://{tmp_path}/k"
    written = bucket.modified(".pulumi/stacks/p/dev.json")
    assert written is not None
    assert abs(datetime.now(UTC) - written) < timedelta(minutes=5)
    bucket.delete(".pulumi/stacks/p/dev.json", ".pulumi/stacks/p/never.json")
    assert bucket.modified(".pulumi/stacks/p/dev.json") is None
    assert (bucket.read(".pulumi/stacks/p/dev.json"), bucket.keys(".pulumi/stacks")) == (None, [])


@pytest.mark.parametrize("url", ["https://api.pulumi.com", "gs://bucket", "", "s3://", "file://"])
def test_another_kind_of_backend_is_refused(url: str) -> None:
    with pytest.raises(BackendError, match="use file:///folder or s3://bucket"):
        open_bucket(url)


def test_the_project_is_called_as_its_file_says(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: tiny\n")
    assert project_name(tmp_path) == "tiny"
    (tmp_path / "Pulumi.yaml").write_text("runtime: python\n")
    with pytest.raises(BackendError, match=r"Pulumi\.yaml: the project's `name` cannot be read"):
        project_name(tmp_path)


@pytest.mark.slow
def test_an_object_says_when_it_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(variable, "testing")
    with mock_aws():
        s3: Any = boto3.Session(region_name="eu-west-1").client("s3")
        s3.create_bucket(Bucket="state", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        bucket = open_bucket("s3://state?region=eu-west-1")
        assert bucket.modified("k") is None
        bucket.write("k", "{}")
        written = bucket.modified("k")
    assert written is not None
    assert abs(datetime.now(UTC) - written) < timedelta(minutes=5)
