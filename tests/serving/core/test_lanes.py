"""What the engine holds on to and what it lets go: replaced models, callers that left, replies that fail."""

import weakref

import pytest

from serving.core.batching import Lane, Limits, Ticket
from serving.core.call import Call
from serving.core.errors import RequestError
from serving.core.job import Answered, Job
from serving.core.variants import WeightedRouter
from tests.serving.core.test_engine import FakeService, Rig, as_service


@pytest.mark.parametrize("row_seconds", [0.0, 0.02], ids=["in the loop", "in the thread"])
def test_models_swapped_under_load_are_let_go_once_they_have_answered(row_seconds: float) -> None:
    rig = Rig(row_seconds=row_seconds)
    swapped: list[weakref.ref[FakeService]] = []
    for number in range(6):
        rig.submit(b"1")  # the next model finds this one busy
        if number % 2 == 0:
            rig.loop.turn()  # and each second one in the thread
        model = FakeService(rig.loop, row_seconds)
        rig.install(model)
        swapped.append(weakref.ref(model))
        del model
    assert rig.engine.pending > 0
    while rig.loop.soon or rig.loop.threads:
        rig.loop.turn()
        if rig.loop.threads:
            rig.loop.thread_ends()
    rig.loop.turn()
    assert rig.codes() == ["ok"] * 6
    assert [number for number, model in enumerate(swapped) if model() is not None] == [5]


def test_an_idle_model_is_let_go_at_the_swap_itself() -> None:
    rig = Rig()
    gone = weakref.ref(rig.service)
    rig.service = FakeService(rig.loop)
    rig.install(rig.service)
    assert gone() is None


class WatchedCall(Call):
    """One that can be seen to go, its body with it."""


class WatchedTicket(Ticket, gc=True, weakref=True):
    """The same."""


def test_who_leaves_while_a_long_run_holds_the_queue_up_takes_no_memory() -> None:
    lane = Lane("", as_service(None), 0.001)
    calls: list[weakref.ref[Call]] = []
    places: list[weakref.ref[Ticket]] = []

    def come(*, leave: bool) -> None:
        ticket = WatchedTicket(WatchedCall(b"body"), Job(2, [0.0] * 2, "", b"body", ""), print, 0.0, 60.0, lane)
        lane.put(ticket)
        calls.append(weakref.ref(ticket.call))
        places.append(weakref.ref(ticket))
        if leave:
            ticket.cancel()

    for number in range(1000):
        come(leave=number % 500 != 0)
    assert [number for number, call in enumerate(calls) if call() is not None] == [0, 500]
    assert sum(place() is not None for place in places) < 64
    assert (lane.jobs, lane.rows) == (2, 4)
    taken, late = lane.take(Limits(), 1.0)
    assert (taken, late) == ([places[0](), places[500]()], [])
    assert not lane.busy


def broken(_: object) -> None:
    raise UnicodeEncodeError("latin-1", "grün", 2, 3, "a reply that cannot be written")


def test_a_reply_that_fails_harms_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    rig = Rig()
    rig.submit(b"a")
    rig.engine.submit(Call(b"b"), broken)
    rig.submit(b"c")
    rig.loop.turn()
    assert (rig.codes(), rig.engine.pending) == (["ok", "ok"], 0)
    assert [size for size, _, _ in rig.watch.batches] == [3]
    assert "a reply that cannot be written" in capsys.readouterr().err


def test_a_late_reply_that_fails_harms_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    rig = Rig()
    rig.engine.submit(Call(b"a", deadline=rig.loop.now + 1), broken)
    rig.submit(b"b")
    rig.loop.now += 2
    rig.loop.turn()
    assert (rig.codes(), rig.watch.refusals) == (["ok"], [(500, "internal")])
    assert "a reply that cannot be written" in capsys.readouterr().err


def test_a_refusal_that_cannot_be_told_counts_as_our_failure_and_raises_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rig = Rig()
    rig.engine.submit(Call(b"wrong"), broken).cancel()
    assert rig.watch.refusals == [(500, "internal")]
    assert "a reply that cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("body", [b"a", b"late", b"wrong"])
def test_what_a_caller_was_told_in_place_of_its_answer_is_what_counts(
    body: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[object] = []

    def instead(_: object) -> None:
        raise RequestError("internal", "the answer could not be written", status=500)

    def batch(service: object, jobs: object, answered: Answered, *_: object, **__: object) -> None:
        told.extend(answer.code if isinstance(answer, RequestError) else answer.body for answer in answered.answers)

    rig = Rig()
    monkeypatch.setattr(rig.watch, "batch", batch)
    rig.submit(b"before")
    rig.engine.submit(Call(body, deadline=rig.loop.now + 1 if body == b"late" else None), instead)
    rig.loop.now += 2
    rig.loop.turn()
    if body == b"a":
        assert (told, rig.watch.refusals) == ([b"before", "internal"], [])
    else:
        assert (told, rig.watch.refusals) == ([b"before"], [(500, "internal")])
    assert capsys.readouterr().err == "", "whoever told it in its place has said why"


def test_a_refusal_that_cannot_be_counted_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError("disk full")

    rig = Rig()
    monkeypatch.setattr(rig.watch, "refused", full)
    rig.submit(b"wrong")
    assert rig.codes() == ["wrong_type"]
    assert "disk full" in capsys.readouterr().err


def test_refusals_are_counted_for_the_variant_that_was_to_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[tuple[str, str]] = []

    def refused(status: int, code: str, *, call: Call | None = None, variant: str = "") -> None:
        counted.append((variant, code))

    rig = Rig(row_seconds=0.001)
    monkeypatch.setattr(rig.watch, "refused", refused)
    rig.install(FakeService(rig.loop, 0.001), "blue")
    rig.install(FakeService(rig.loop, 0.001), "green")
    rig.engine.route(WeightedRouter({"blue": 1, "green": 1}), "blue")
    rig.engine.remove("")
    rig.submit(b"wrong", variant="green")
    rig.submit(b"500", variant="green")
    rig.submit(b"1", variant="green", deadline=rig.loop.now + 0.1)
    rig.submit(b"1", variant="red")
    assert counted == [("green", "wrong_type"), ("green", "overloaded"), ("blue", "unknown_variant")]
