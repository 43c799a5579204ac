import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ProfileNotFound

from delivery.aws_session import aws_session


def test_sessions_have_their_own_region_and_credentials() -> None:
    here = aws_session(region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    there = aws_session(region_name="us-east-1", aws_access_key_id="c", aws_secret_access_key="d")
    assert (here.region_name, there.region_name) == ("eu-west-1", "us-east-1")
    assert [each.get_credentials().access_key for each in (here, there)] == ["a", "c"]


def test_a_client_is_as_boto3_makes_it() -> None:
    ours = aws_session(region_name="eu-west-1")
    plain: Any = boto3.Session(region_name="eu-west-1")
    assert ours.client("sqs").meta.endpoint_url == plain.client("sqs").meta.endpoint_url
    agents = [each.client("sqs").meta.config.user_agent for each in (ours, plain)]
    assert agents[0] == agents[1]


def test_descriptions_of_a_folder_of_ones_own_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "invented" / "2026-01-01"
    folder.mkdir(parents=True)
    described = {"apiVersion": "2026-01-01", "endpointPrefix": "x", "protocol": "json", "serviceId": "X"}
    (folder / "service-2.json").write_text(json.dumps({"metadata": described, "operations": {}, "shapes": {}}))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    assert "invented" in aws_session(region_name="eu-west-1").get_available_services()
    monkeypatch.delenv("AWS_DATA_PATH")
    assert "invented" not in aws_session(region_name="eu-west-1").get_available_services()


def test_a_named_profile_is_taken_whatever_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("[profile prod]\nregion = eu-west-3\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "gone")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    found = aws_session(profile_name="prod")
    assert (found.profile_name, found.region_name) == ("prod", "eu-west-3")
    with pytest.raises(ProfileNotFound, match="gone"):
        aws_session()


def test_each_folder_is_searched_once_however_many_sessions_there_are() -> None:
    sessions = [aws_session(region_name="eu-west-1") for _ in range(3)]
    paths: list[str] = sessions[0]._loader.search_paths
    assert len(paths) == len(set(paths))
    assert str(Path(boto3.__file__).parent / "data") in paths
