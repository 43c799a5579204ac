"""What the control socket understands, without a socket."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serving.observe import shared
from serving.process.commands import handle
from serving.process.control import ControlRequest
from serving.process.places import Place, Places
from serving.process.slot import Slot
from serving.process.swap import Done, Outcome, Swaps

BLUE = Place(name="blue", folder="/models/3", weight=9)


class FakeSwaps(Swaps):
    def __init__(self) -> None:
        super().__init__(Places(models=(BLUE, Place(name="next", folder="/models/5", shadow=True))), ())
        self.asked: list[tuple[Place, bool]] = []
        self.outcome = Outcome(done=True, about={"model": "auto-mpg"})

    def request(self, place: Place, done: Done, *, other_model: bool = False) -> None:
        self.asked.append((place, other_model))
        done(self.outcome)


class FakeSupervisor:
    def __init__(self) -> None:
        listener: Any = None
        self.swaps = FakeSwaps()
        self.slots = (Slot(0, listener, shared.region(shared.allocate(1), 0)),)


@pytest.fixture
def supervisor() -> Any:
    return FakeSupervisor()


Ask = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def ask(supervisor: Any) -> Ask:
    def asked(method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answers: list[tuple[int, dict[str, Any]]] = []
        handle(
            supervisor,
            ControlRequest(method=method, path=path, body=content),
            lambda status, document: answers.append((status, document)),
        )
        (answer,) = answers
        return answer

    return asked


def test_a_model_is_put_in_the_place_of_the_default_one(supervisor: Any, ask: Ask) -> None:
    body = {"folder": "/models/4", "manifest_sha256": "AB" * 32, "release": "4"}
    assert ask("POST", "/model", body) == (200, {"swapped": True, "workers": 1, "model": "auto-mpg"})
    place = Place(name="blue", folder="/models/4", manifest_sha256="ab" * 32, release="4", weight=9)
    assert supervisor.swaps.asked == [(place, False)]


def test_a_named_variant_stays_what_it_is(supervisor: Any, ask: Ask) -> None:
    ask("POST", "/model", {"folder": "models/6", "variant": "next", "other_model": True})
    ((place, other_model),) = supervisor.swaps.asked
    assert (place.name, place.shadow, other_model) == ("next", True, True)
    assert place.folder == str(Path("models/6").absolute())


def test_a_refusal_says_why(supervisor: Any, ask: Ask) -> None:
    supervisor.swaps.outcome = Outcome(done=False, reason="model.onnx was changed", about={})
    assert ask("POST", "/model", {"folder": "/models/4"}) == (
        409,
        {"swapped": False, "error": "model.onnx was changed"},
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "no valid JSON"),
        (b"[" * 60_000, "no valid JSON"),
        ([], "must be an object"),
        ({}, "folder is missing"),
        ({"folder": 4}, "folder is 4; expected a text"),
        ({"folder": "/m", "sha": "x"}, "unknown key 'sha'; expected folder, manifest_sha256"),
        ({"folder": "/m", "manifest_sha256": "abc"}, "expected 64 hexadecimal digits"),
        ({"folder": "/m", "other_model": "yes"}, "other_model is 'yes'; expected true or false"),
        ({"folder": "/m", "variant": "red"}, "there is no variant 'red'; there are 'blue', 'next'"),
    ],
)
def test_what_is_wrong_is_named(supervisor: Any, ask: Ask, body: object, message: str) -> None:
    status, document = ask("POST", "/model", body)
    assert status == 400
    assert message in document["error"]
    assert supervisor.swaps.asked == []


def test_the_status_tells_of_workers_and_models(supervisor: Any, ask: Ask) -> None:
    supervisor.slots[0].cells[shared.RESTARTS] = 3
    status, document = ask("GET", "/status")
    assert (status, document["ready"], document["workers"][0]["restarts"]) == (200, False, 3)
    assert [model["variant"] for model in document["models"]] == ["blue", "next"]


def test_there_is_nothing_else(ask: Ask) -> None:
    assert ask("DELETE", "/model")[0] == 404
