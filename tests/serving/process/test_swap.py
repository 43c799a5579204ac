"""The two phases, with workers that are ends of a socket."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from serving.observe import shared
from serving.process.channel import Channel, Message, channels
from serving.process.places import Place, Places
from serving.process.slot import Slot
from serving.process.swap import Outcome, Swaps

OLD = Place(name="", folder="/models/1")
NEW = replace(OLD, folder="/models/2", manifest_sha256="ab" * 32)


class Rig:
    def __init__(self, stack: ExitStack) -> None:
        memory = shared.allocate(2)
        self.now = 100.0
        self.slots: list[Slot] = []
        self.workers: list[Channel] = []
        for number in range(2):
            slot = Slot(number, stack.enter_context(socket.socket()), shared.region(memory, number))
            ours, theirs = channels()
            stack.callback(ours.close)
            stack.callback(theirs.close)
            slot.begin(4242 + number, ours, 100.0)
            slot.became_ready(100.0)
            self.slots.append(slot)
            self.workers.append(theirs)
        self.swaps = Swaps(Places(models=(OLD,)), self.slots, clock=lambda: self.now)
        self.outcomes: list[Outcome] = []

    def request(self, place: Place = NEW) -> None:
        self.swaps.request(place, self.outcomes.append)

    def heard(self) -> list[list[object]]:
        return [[message["do"] for message in worker.receive()] for worker in self.workers]

    def say(self, worker: int, event: str, **more: object) -> None:
        message: Message = {"event": event, "swap": 1, "about": {"model": "auto-mpg"}, **more}
        self.swaps.heard(self.slots[worker], message)

    @property
    def served(self) -> str:
        return self.swaps.places.default.folder


@pytest.fixture
def rig() -> Iterator[Rig]:
    with ExitStack() as stack:
        yield Rig(stack)


def test_all_prepare_then_all_commit(rig: Rig) -> None:
    rig.request()
    (first,) = rig.workers[0].receive()
    assert (first["do"], first["folder"], first["manifest_sha256"]) == ("prepare", "/models/2", "ab" * 32)
    rig.say(0, "prepared")
    assert rig.heard() == [[], ["prepare"]]
    assert rig.served == "/models/1"
    rig.say(1, "prepared")
    assert rig.heard() == [["commit"], ["commit"]]
    assert (rig.served, rig.outcomes) == ("/models/2", [])
    rig.say(0, "committed")
    rig.say(1, "committed")
    assert rig.outcomes == [Outcome(done=True, about={"model": "auto-mpg"})]
    assert (rig.swaps.busy, rig.slots[0].cells[shared.SWAPS]) == (False, 1)


def test_one_refusal_keeps_the_old_model_everywhere(rig: Rig) -> None:
    rig.request()
    rig.say(0, "prepared")
    rig.say(1, "refused", reason="model.onnx was changed")
    assert rig.heard() == [["prepare", "abort"], ["prepare", "abort"]]
    assert (rig.served, rig.swaps.busy) == ("/models/1", False)
    assert [(outcome.done, outcome.reason) for outcome in rig.outcomes] == [(False, "model.onnx was changed")]
    assert rig.slots[0].cells[shared.SWAPS_FAILED] == 1


def test_a_worker_that_ends_while_it_prepares_ends_the_swap(rig: Rig) -> None:
    rig.request()
    rig.swaps.lost(rig.slots[1])
    assert (rig.served, rig.outcomes[0].reason) == ("/models/1", "worker 1 ended while it prepared the model")


def test_a_worker_that_ends_while_it_commits_is_succeeded_by_one_with_the_new_model(rig: Rig) -> None:
    rig.request()
    rig.say(0, "prepared")
    rig.say(1, "prepared")
    rig.say(0, "committed")
    rig.swaps.lost(rig.slots[1])
    assert (rig.served, rig.outcomes[0].done) == ("/models/2", True)


def test_loading_that_never_ends_is_given_up(rig: Rig) -> None:
    rig.request()
    rig.now += 119
    rig.swaps.tick()
    assert rig.swaps.busy
    rig.now += 2
    rig.swaps.tick()
    assert (rig.served, rig.outcomes[0].reason) == ("/models/1", "the model was not loaded within 120 s")


def test_late_words_of_a_swap_that_is_over_are_not_heeded(rig: Rig) -> None:
    rig.request()
    rig.say(0, "refused", reason="no")
    rig.request()
    rig.say(0, "prepared")
    rig.say(1, "prepared")
    assert rig.served == "/models/1"
    assert rig.swaps.busy


def test_one_at_a_time(rig: Rig) -> None:
    rig.request()
    rig.request()
    (outcome,) = rig.outcomes
    assert (outcome.again, "another swap is under way" in outcome.reason) == (True, True)


def test_not_while_a_worker_starts(rig: Rig) -> None:
    rig.slots[1].ready = False
    rig.request()
    (outcome,) = rig.outcomes
    assert (outcome.again, rig.heard()) == (True, [[], []])


def test_a_variant_that_there_is_not(rig: Rig) -> None:
    rig.request(replace(NEW, name="green"))
    assert rig.outcomes[0].reason == "there is no variant 'green'; there are ''"
