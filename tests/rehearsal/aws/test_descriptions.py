from copy import deepcopy

import pytest
from botocore.loaders import JSONFileLoader, create_loader
from moto import backends
from moto.core import loaders as moto_loaders

from rehearsal.aws.descriptions import read_once


@pytest.fixture(autouse=True)
def put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is changed for the whole process is as it was in the end."""
    monkeypatch.setattr(JSONFileLoader, "load_file", JSONFileLoader.load_file)
    monkeypatch.setattr(moto_loaders.Loader, "FILE_LOADER_CLASS", JSONFileLoader)
    monkeypatch.setattr(backends, "list_of_moto_modules", backends.list_of_moto_modules)


def test_every_session_shares_what_was_read() -> None:
    before = [create_loader().load_service_model("sqs", "service-2") for _ in range(2)]
    read_once()
    shared = [create_loader().load_service_model("sqs", "service-2") for _ in range(2)]
    assert shared == before
    assert before[0] is not before[1]
    assert shared[0] is shared[1]


def test_what_moto_adds_for_itself_is_not_shared() -> None:
    read_once()
    before = deepcopy(create_loader().load_service_model("sqs", "service-2"))
    extended = moto_loaders.create_loader().load_service_model("sqs", "service-2")
    assert extended["metadata"]["xmlNamespace"] != before["metadata"].get("xmlNamespace")
    assert create_loader().load_service_model("sqs", "service-2") == before


def test_what_there_is_not_is_none_as_ever() -> None:
    read_once()
    assert JSONFileLoader().load_file("/nowhere/service-2") is None


def test_the_services_are_listed_from_the_folders_once(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = list(backends.list_of_moto_modules())
    read_once()
    backends.list_of_moto_modules()
    monkeypatch.setattr("os.listdir", None)
    assert list(backends.list_of_moto_modules()) == listed
    assert {"s3", "sagemaker"} < set(listed)
