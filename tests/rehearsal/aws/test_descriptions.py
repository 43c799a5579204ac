import pytest
from botocore.loaders import JSONFileLoader, create_loader

from rehearsal.aws.descriptions import read_once


def test_every_session_shares_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JSONFileLoader, "load_file", JSONFileLoader.load_file)  # put back in the end
    before = [create_loader().load_service_model("sqs", "service-2") for _ in range(2)]
    read_once()
    shared = [create_loader().load_service_model("sqs", "service-2") for _ in range(2)]
    assert shared == before
    assert before[0] is not before[1]
    assert shared[0] is shared[1]


def test_what_there_is_not_is_none_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JSONFileLoader, "load_file", JSONFileLoader.load_file)
    read_once()
    assert JSONFileLoader().load_file("/nowhere/service-2") is None
