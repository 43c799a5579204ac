"""The engine without an event loop: its callbacks, clock and thread are the test's."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from serving.core.batching import Limits
from serving.core.call import Call
from serving.core.engine import Engine
from serving.core.errors import NotReadyError, PredictionError, RequestError
from serving.core.job import Answer, Answered, Job
from serving.core.service import Service

Outcome = Answer | RequestError


class FakeService:
    """A model that answers `rows`, takes as long as it is told to, and remembers its runs."""

    def __init__(self, loop: "Loop", row_seconds: float = 0.0, name: str = "") -> None:
        self.loop = loop
        self.row_seconds = row_seconds
        self.name = name
        self.runs: list[list[bytes]] = []
        self.failing: bytes | None = None
        self.ill = ""

    def decode(self, body: bytes, content_type: str, accept: str = "") -> Job:
        if body == b"wrong":
            raise RequestError("wrong_type", "it is wrong")
        if body == b"bug":
            raise ZeroDivisionError("secret")
        rows = int(body) if body.isdigit() else 1
        return Job(rows, [0.0] * rows, "application/json", body, content_type)

    def answer_all(self, jobs: Sequence[Job]) -> Answered:
        bodies = [job.body for job in jobs]
        self.runs.append(bodies)
        if self.failing in bodies:
            raise RuntimeError("the model broke")
        rows = sum(job.rows for job in jobs)
        self.loop.now += rows * self.row_seconds
        answers: list[Outcome] = [Answer("application/json", self.name.encode() + body, 1) for body in bodies]
        return Answered(answers, np.zeros(rows, dtype=np.float32), 0.0, 0.0)

    def warm_up(self) -> None:
        self.loop.now += self.row_seconds
        if self.ill:
            raise PredictionError(self.ill)


class Loop:
    """An event loop in miniature."""

    def __init__(self) -> None:
        self.now = 100.0
        self.soon: list[Callable[[], None]] = []
        self.threads: list[tuple[Callable[[], object], Callable[[object], None]]] = []

    def clock(self) -> float:
        return self.now

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.soon.append(callback)

    def turn(self) -> None:
        callbacks, self.soon = self.soon, []
        for callback in callbacks:
            callback()

    def thread_ends(self) -> None:
        work, done = self.threads.pop(0)
        done(work())


class Watch:
    def __init__(self) -> None:
        self.batches: list[tuple[int, list[float], float]] = []
        self.refusals: list[tuple[int, str]] = []
        self.left = 0

    def batch(
        self,
        service: Any,
        jobs: Sequence[Job],
        answered: Answered,
        queued: Sequence[float],
        decoding: float,
        *,
        calls: Sequence[Call],
        variant: str,
    ) -> None:
        assert [call.body for call in calls] == [job.body for job in jobs]
        self.batches.append((len(jobs), list(queued), decoding))

    def refused(self, status: int, code: str, *, call: Call | None = None, variant: str = "") -> None:
        self.refusals.append((status, code))

    def cancelled(self) -> None:
        self.left += 1


class Rig:
    """An engine with its surroundings."""

    def __init__(self, row_seconds: float = 0.0, **limits: Any) -> None:
        self.loop = Loop()
        self.watch = Watch()
        self.service = FakeService(self.loop, row_seconds)
        self.engine = Engine(
            self.loop.call_soon,
            observer=self.watch,
            limits=Limits(**limits),
            aside=lambda work, done: self.loop.threads.append((work, done)),
            clock=self.loop.clock,
        )
        self.install(self.service)
        self.replies: list[Outcome] = []

    def install(self, service: FakeService, name: str = "") -> None:
        self.engine.install(name, as_service(service), service.row_seconds)

    def submit(self, body: bytes = b"1", **options: Any) -> Any:
        return self.engine.submit(Call(body, **options), self.replies.append)

    def codes(self) -> list[str]:
        return [reply.code if isinstance(reply, RequestError) else "ok" for reply in self.replies]


def as_service(fake: Any) -> Service:
    return fake


def test_what_came_in_one_turn_goes_through_the_model_together() -> None:
    rig = Rig()
    for body in (b"a", b"b", b"c"):
        rig.submit(body)
    assert rig.replies == []
    assert len(rig.loop.soon) == 1
    rig.loop.turn()
    assert rig.service.runs == [[b"a", b"b", b"c"]]
    assert [reply.body for reply in rig.replies if isinstance(reply, Answer)] == [b"a", b"b", b"c"]
    assert rig.loop.soon == []
    assert rig.watch.batches == [(3, [0.0, 0.0, 0.0], 0.0)]


def test_a_lone_request_waits_for_nobody() -> None:
    rig = Rig()
    rig.submit()
    rig.loop.turn()
    assert rig.codes() == ["ok"]


def test_a_wrong_request_is_refused_at_once() -> None:
    rig = Rig()
    ticket = rig.submit(b"wrong")
    assert rig.codes() == ["wrong_type"]
    ticket.cancel()
    assert (rig.loop.soon, rig.watch.refusals) == ([], [(400, "wrong_type")])


def test_our_own_failure_is_a_500_without_innards(capsys: pytest.CaptureFixture[str]) -> None:
    rig = Rig()
    rig.submit(b"bug")
    (reply,) = rig.replies
    assert isinstance(reply, RequestError)
    assert (reply.status, "secret" in str(reply)) == (500, False)
    assert "secret" in capsys.readouterr().err


def test_a_caller_that_went_away_is_dropped_from_the_queue() -> None:
    rig = Rig()
    rig.submit(b"a")
    rig.submit(b"b").cancel()
    rig.submit(b"c")
    assert rig.engine.pending == 2
    rig.loop.turn()
    assert rig.service.runs == [[b"a", b"c"]]
    assert (len(rig.replies), rig.engine.pending, rig.watch.left) == (2, 0, 1)


def test_when_all_went_away_nothing_runs() -> None:
    rig = Rig()
    rig.submit().cancel()
    rig.loop.turn()
    assert (rig.service.runs, rig.replies) == ([], [])


def test_a_cancel_from_within_another_reply_is_kept() -> None:
    rig = Rig()
    tickets: list[Any] = []
    rig.engine.submit(Call(b"a"), lambda _: tickets[0].cancel())
    tickets.append(rig.submit(b"b"))
    rig.loop.turn()
    assert rig.replies == []


def test_an_expired_request_costs_no_inference() -> None:
    rig = Rig()
    rig.submit(b"a", deadline=rig.loop.now + 1)
    rig.submit(b"b")
    rig.loop.now += 2
    rig.loop.turn()
    assert rig.service.runs == [[b"b"]]
    assert rig.codes() == ["deadline_exceeded", "ok"]
    assert rig.watch.refusals == [(504, "deadline_exceeded")]


def test_a_deadline_that_has_passed_is_refused_before_decoding() -> None:
    rig = Rig()
    rig.submit(b"wrong", deadline=rig.loop.now - 0.1)
    assert rig.codes() == ["deadline_exceeded"]


def test_a_deadline_that_cannot_be_kept_is_a_503_at_once() -> None:
    rig = Rig(row_seconds=0.001)
    rig.submit(b"500")
    rig.submit(b"wrong", deadline=rig.loop.now + 0.1)
    assert rig.codes() == ["overloaded"]


@pytest.mark.parametrize(
    ("limits", "accepted"), [({"jobs": 1}, 1), ({"jobs": 5}, 5), ({"rows": 40}, 4), ({"wait": 0.0251}, 5)]
)
def test_above_its_bound_the_queue_refuses_at_once_and_before_decoding(limits: dict[str, Any], accepted: int) -> None:
    rig = Rig(row_seconds=0.001, always=2, **limits)
    for _ in range(accepted):
        rig.submit(b"10")
    assert rig.replies == []
    rig.submit(b"wrong")
    (reply,) = rig.replies
    assert isinstance(reply, RequestError)
    assert (reply.status, reply.code, reply.retry_after) == (503, "overloaded", 1)


def test_time_spent_on_reading_a_turn_counts() -> None:
    rig = Rig(wait=0.05, always=2)
    for _ in range(3):
        rig.submit()
    rig.loop.now += 0.06
    rig.submit()
    assert rig.codes() == ["overloaded"]
    rig.loop.turn()
    rig.submit()
    assert rig.codes() == ["overloaded", "ok", "ok", "ok"]


def test_few_callers_are_never_an_overload() -> None:
    rig = Rig(row_seconds=0.004, always=8)
    for _ in range(8):
        rig.submit(b"100")
    assert rig.replies == []


def test_a_large_batch_lets_the_event_loop_through() -> None:
    rig = Rig(row_seconds=0.001, run=0.005)
    for _ in range(10):
        rig.submit(b"2")
    rig.loop.turn()
    assert (len(rig.replies), len(rig.loop.soon)) == (4, 1)
    while rig.loop.soon:
        rig.loop.turn()
    assert rig.codes() == ["ok"] * 10
    assert [len(run) for run in rig.service.runs] == [4, 3, 3]


def test_a_request_larger_than_a_run_has_one_of_its_own() -> None:
    rig = Rig(row_seconds=0.001, run=0.005)
    for body in (b"1", b"50", b"2"):
        rig.submit(body)
    while rig.loop.soon:
        rig.loop.turn()
    assert rig.service.runs == [[b"1"], [b"50"], [b"2"]]


def test_a_request_that_would_hold_up_the_event_loop_runs_in_a_thread() -> None:
    """Or the worker would be taken for stuck, and killed, for a request that is within its limits."""
    rig = Rig(row_seconds=0.004)
    for body in (b"1", b"1000", b"2"):
        rig.submit(body)
    while rig.loop.soon:
        rig.loop.turn()
    assert (rig.codes(), len(rig.loop.threads), rig.engine.pending) == (["ok"], 1, 2)
    rig.engine.check()
    rig.loop.thread_ends()
    while rig.loop.soon:
        rig.loop.turn()
    assert rig.codes() == ["ok"] * 3


def test_one_request_that_breaks_the_model_harms_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    rig = Rig()
    rig.service.failing = b"poison"
    for body in (b"a", b"poison", b"b"):
        rig.submit(body)
    rig.loop.turn()
    assert rig.codes() == ["ok", "internal", "ok"]
    assert "the model broke" in capsys.readouterr().err


def test_a_slow_model_runs_in_a_thread_and_gathers_meanwhile() -> None:
    rig = Rig(row_seconds=0.02)
    rig.submit(b"a")
    rig.loop.turn()
    assert (rig.replies, len(rig.loop.threads), rig.engine.pending) == ([], 1, 1)
    for body in (b"b", b"c"):
        rig.submit(body)
    rig.loop.turn()
    assert len(rig.loop.threads) == 1
    rig.loop.thread_ends()
    assert rig.codes() == ["ok"]
    rig.loop.turn()
    rig.loop.thread_ends()
    assert rig.service.runs == [[b"a"], [b"b", b"c"]]
    assert rig.engine.pending == 0


def test_a_cancel_while_the_thread_runs_is_kept() -> None:
    rig = Rig(row_seconds=0.02)
    ticket = rig.submit(b"a")
    rig.loop.turn()
    ticket.cancel()
    rig.loop.thread_ends()
    assert (rig.replies, rig.engine.pending) == ([], 0)


def test_readiness_is_the_models_own_answer() -> None:
    rig = Rig()
    rig.engine.check()
    rig.service.ill = "no usable answer"
    with pytest.raises(NotReadyError, match="no usable answer"):
        rig.engine.check()
    rig.service.ill = ""
    rig.engine.check()


def test_a_slow_model_must_have_answered_lately() -> None:
    rig = Rig(row_seconds=0.02)
    rig.engine.check()
    rig.loop.now += 1.5
    with pytest.raises(NotReadyError, match=r"has not answered for 1\.5 s"):
        rig.engine.check()
    rig.engine.warm_up()
    rig.engine.warm_up()
    assert len(rig.loop.threads) == 1
    rig.loop.thread_ends()
    rig.engine.check()


def test_without_a_model_everything_says_why() -> None:
    engine = Engine([].append)
    replies: list[Outcome] = []
    engine.submit(Call(b"1"), replies.append)
    engine.failed("model.onnx was changed")
    engine.submit(Call(b"1"), replies.append)
    assert [str(reply) for reply in replies] == ["the model is loading", "model.onnx was changed"]
    with pytest.raises(NotReadyError, match=r"model\.onnx was changed"):
        engine.check()


def test_a_long_run_is_no_model_that_does_not_answer() -> None:
    """1,000 rows of 20 ms each are within the limits: /ping stays true, until that takes several times as long."""
    rig = Rig(row_seconds=0.02)
    rig.submit(b"1000")
    rig.loop.turn()
    rig.loop.now += 30
    rig.engine.check()
    rig.loop.now += 30
    with pytest.raises(NotReadyError, match=r"has not answered for 60\.0 s"):
        rig.engine.check()


def test_a_model_that_waits_for_the_thread_of_another_is_well() -> None:
    rig = Rig(row_seconds=0.02)
    rig.install(FakeService(rig.loop, 0.02), "other")
    rig.submit(b"1000")
    rig.loop.turn()
    rig.engine.warm_up()
    rig.loop.now += 10
    rig.engine.check()
    assert rig.engine.pending == 1, "the run is still under way"


def test_after_a_swap_each_request_is_answered_by_the_model_that_it_was_decoded_for() -> None:
    rig = Rig()
    rig.submit(b"old")
    new = FakeService(rig.loop, name="new ")
    rig.install(new)
    rig.submit(b"request")
    rig.loop.turn()
    assert (rig.service.runs, new.runs) == ([[b"old"]], [[b"request"]])
    assert rig.engine.service is as_service(new)


def test_an_observer_that_fails_harms_nobody(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError("disk full")

    rig = Rig()
    monkeypatch.setattr(rig.watch, "batch", broken)
    rig.submit()
    rig.loop.turn()
    assert rig.codes() == ["ok"]
    assert "disk full" in capsys.readouterr().err


def test_a_variant_that_there_is_not_is_named() -> None:
    rig = Rig()
    rig.submit(variant="blue")
    assert [str(reply) for reply in rig.replies] == ["there is no variant 'blue'; this server has one model"]


def test_a_real_model_answers_all_of_a_turn(service: Service, car: dict[str, object]) -> None:
    soon: list[Callable[[], None]] = []
    engine = Engine(soon.append)
    engine.replace(service)
    replies: list[Outcome] = []
    for _ in range(3):
        engine.submit(Call(json.dumps(car).encode(), "application/json"), replies.append)
    soon.pop()()
    predictions = [json.loads(reply.body)["predictions"] for reply in replies if isinstance(reply, Answer)]
    assert predictions == [[pytest.approx(35.61, abs=1e-4)]] * 3


def test_what_a_front_refuses_counts_for_the_variant_that_it_names_or_for_the_default_one() -> None:
    empty = Engine(lambda _: None)
    assert [empty.variant(named) for named in ("", "blue")] == ["", ""]
    rig = Rig()
    assert [rig.engine.variant(named) for named in ("", "blue")] == ["", ""], "one model without a name"
    rig.engine.remove("")
    for name in ("blue", "green"):
        rig.install(FakeService(rig.loop), name)
    rig.engine.route(None, "blue")
    assert [rig.engine.variant(named) for named in ("", "blue", "green", "made-up")] == [
        "blue",
        "blue",
        "green",
        "blue",
    ]
