"""The ASGI application by itself, as any ASGI server would call it."""

import asyncio
import dataclasses
import gc
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, MutableMapping
from types import FrameType
from typing import Any, cast

import pytest
from prometheus_client.parser import text_string_to_metric_families

from serving.core.engine import Engine
from serving.core.errors import RequestError
from serving.core.job import Answer
from serving.core.service import Service
from serving.http import asgi
from serving.http.asgi import Application
from serving.http.limits import Limits
from serving.http.routes import Response, SiteContext
from serving.http.turns import Turns
from serving.observe import shared
from serving.observe.metrics import Observer
from tests.serving.http.harness import BUSY, HOLD, PATIENCE, Counts, EchoEngine, Ticket, site_of

Message = MutableMapping[str, Any]


class Caller:
    """One request: what the application receives and sends. After the last message the caller says nothing more."""

    def __init__(
        self,
        *messages: Message,
        headers: tuple[tuple[bytes, bytes], ...] = (),
        client: tuple[str, int] | None = None,
        path: str = "/invocations",
    ) -> None:
        self.sent: list[Message] = []
        self.counts = Counts()
        self.engine: EchoEngine = cast("EchoEngine", None)
        self._messages = list(messages)
        method = "POST" if path == "/invocations" else "GET"
        self._scope: Message = {"type": "http", "method": method, "path": path, "http_version": "1.1"}
        self._scope["headers"] = [(b"host", b"x"), *headers]
        self._scope["client"] = client

    async def receive(self) -> Message:
        if self._messages:
            return self._messages.pop(0)
        return await asyncio.Future()

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    def call(self, **limits: Any) -> None:
        asyncio.run(self.ask(**limits))

    async def ask(self, **limits: Any) -> None:
        self.engine = EchoEngine(asyncio.get_running_loop().call_soon, self.counts)
        engine = cast("Any", self.engine)
        await self.serve(Application(engine, site_of(engine), Limits(**limits), self.counts))

    async def serve(self, application: Application) -> None:
        await asyncio.wait_for(application(self._scope, self.receive, self.send), PATIENCE)

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])


def part(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


GONE: Message = {"type": "http.disconnect"}


def test_a_body_in_parts_is_one_body() -> None:
    caller = Caller(part(b"[1", more=True), part(b",2]"))
    caller.call()
    assert (caller.status, caller.body) == (200, b"[1,2]")
    assert caller.sent[-1].get("more_body", False) is False


def test_a_caller_that_goes_away_while_it_sends_is_not_answered() -> None:
    caller = Caller(part(b"[1", more=True), GONE)
    caller.call()
    assert (caller.sent, caller.engine.calls) == ([], [])


def test_a_caller_that_goes_away_while_it_waits_is_dropped_from_the_queue() -> None:
    caller = Caller(part(HOLD), GONE)
    caller.call()
    assert (caller.sent, caller.engine.cancelled) == ([], [HOLD])


def test_a_slow_body_is_told_so() -> None:
    caller = Caller(part(b"[1", more=True))
    caller.call(body_seconds=0.01, drain_seconds=0.01)
    assert (caller.status, json.loads(caller.body)["error"]["code"]) == (408, "timeout")
    assert caller.counts.refusals == [(408, "timeout")]


def test_a_request_that_contradicts_itself_closes_the_connection() -> None:
    caller = Caller(part(b""), headers=((b"content-length", b"1"), (b"transfer-encoding", b"chunked")))
    caller.call()
    assert caller.status == 400
    assert (b"connection", b"close") in caller.sent[0]["headers"]


def test_other_kinds_of_connections_are_refused_as_asgi_wants_it() -> None:
    with pytest.raises(RuntimeError, match="speaks HTTP only, not websocket"):
        asyncio.run(
            Application(cast("Any", None), cast("Any", None))(
                {"type": "websocket"}, cast("Any", None), cast("Any", None)
            )
        )


def break_answers(monkeypatch: pytest.MonkeyPatch, made_by: str, *, failures: bool = False) -> None:
    """What `made_by` makes cannot be written from now on: `refusal` or `Response`, 500s only where `failures` says."""
    answered = getattr(asgi, made_by)

    def odd(*arguments: Any, **named: Any) -> Any:
        response = answered(*arguments, **named)
        written = response.status == 500 and not failures
        return response if written else dataclasses.replace(response, headers={"x": "\u2603"})

    monkeypatch.setattr(asgi, made_by, odd)


@pytest.mark.parametrize("body", [b"1", b"busy"])
def test_an_answer_that_cannot_be_written_is_a_500(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    break_answers(monkeypatch, "refusal" if body == b"busy" else "Response")
    caller = Caller(part(body))
    caller.call()
    assert (caller.status, json.loads(caller.body)["error"]["code"]) == (500, "internal")
    assert caller.counts.refusals == [(500, "internal")]
    assert caller.sent[-1].get("more_body", False) is False


@pytest.mark.parametrize("what", ["answer", "refusal", "other path", "failure"])
def test_what_could_not_be_written_is_counted_once(
    what: str, service: Service, car: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    observer = Observer(shared.allocate(1))
    if what in ("answer", "failure"):
        break_answers(monkeypatch, "Response")
    if what != "answer":
        break_answers(monkeypatch, "refusal", failures=what == "failure")
    row = b"{}" if what == "refusal" else json.dumps(car).encode()
    caller = Caller(
        part(row),
        path="/nowhere" if what == "other path" else "/invocations",
        headers=((b"content-type", b"application/json"),),
    )

    async def ask() -> None:
        engine = Engine(asyncio.get_running_loop().call_soon, observer=observer)
        engine.replace(service)
        await caller.serve(Application(engine, site_of(engine), Limits(), observer))
        await asyncio.sleep(0)

    asyncio.run(ask())
    if what == "failure":
        assert caller.sent == [], "the server ends a connection of which nothing was said"
    else:
        assert caller.status == 500
    counted = {
        (sample.name, sample.labels.get("status") or sample.labels["reason"]): sample.value
        for family in text_string_to_metric_families(observer.text().decode())
        for sample in family.samples
        if sample.name in ("serving_requests_total", "serving_rejections_total") and sample.value
    }
    assert counted == {("serving_requests_total", "500"): 1, ("serving_rejections_total", "internal"): 1}


def test_a_request_that_the_server_ends_is_dropped_from_the_queue() -> None:
    caller = Caller(part(HOLD))

    async def end() -> None:
        asking = asyncio.create_task(caller.ask())
        while not caller.engine or not caller.engine.held:
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        asking.cancel()
        await asyncio.wait([asking])

    asyncio.run(end())
    assert caller.engine.cancelled == [HOLD]


def test_one_turn_of_the_loop_decodes_only_for_a_while() -> None:
    """A server wakes all whose bodies have come in the same turn."""
    assert max(asyncio.run(_decoded_by_turn()).values()) <= 2


async def _decoded_by_turn() -> Counter[int]:
    """How many of 30 bodies, each of which takes longer than a turn may, are decoded in which turn."""
    engine = EchoEngine(asyncio.get_running_loop().call_soon)
    submit, turn, decoded = engine.submit, 0, Counter[int]()

    def slow(call: Any, reply: Any) -> Any:
        time.sleep(0.006)
        decoded[turn] += 1
        return submit(call, reply)

    cast("Any", engine).submit = slow
    application = Application(cast("Any", engine), site_of(engine), Limits())
    callers = [Caller(part(b"[1]")) for _ in range(30)]
    asked = asyncio.gather(*(caller.serve(application) for caller in callers))
    while not asked.done():
        await asyncio.sleep(0)
        turn += 1
    assert [caller.status for caller in callers] == [200] * 30
    return decoded


def test_who_was_refused_stands_behind_who_was_not() -> None:
    order = asyncio.run(_order())
    assert order.index(b"good") < 3, order


async def _order() -> list[bytes]:
    """What is decoded in which order: a flood of callers that were refused before, and a new one at last."""
    engine = EchoEngine(asyncio.get_running_loop().call_soon)
    order: list[bytes] = []

    def submit(call: Any, reply: Any) -> Any:
        time.sleep(0.01)
        order.append(call.body)
        reply(RequestError("wrong_type", "wrong") if call.body == b"bad" else Answer("text/csv", call.body, 1))
        return Ticket(engine, None, b"")

    cast("Any", engine).submit = submit
    application = Application(cast("Any", engine), site_of(engine), Limits())
    for _ in range(2):
        order.clear()
        flood = [Caller(part(b"bad"), client=("x", number)) for number in range(10)]
        await asyncio.gather(
            *(caller.serve(application) for caller in flood),
            Caller(part(b"good"), client=("y", 1)).serve(application),
        )
    return order


def spend_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every request wait for its turn."""
    spent = Turns.spent
    monkeypatch.setattr(Turns, "spent", lambda turns: spent(turns) or True)


Asked = tuple[int, bytes, str]
"""One request: its caller's number, body and path."""


@pytest.fixture
def trust(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[bool | None]]:
    """What the application knows of its callers as each request comes; the engine refuses "bad", raises at "fails"."""
    known: list[bool | None] = []

    def seen(trusted: bool | None, size: int) -> bool:
        known.append(trusted)
        return False

    async def ask(requests: tuple[Asked, ...]) -> None:
        engine = EchoEngine(asyncio.get_running_loop().call_soon)
        submit = engine.submit

        def judge(call: Any, reply: Any) -> Any:
            if call.body == b"fails":
                raise ZeroDivisionError
            if call.body != b"bad":
                return submit(call, reply)
            reply(RequestError("wrong_type", "wrong"))
            return Ticket(engine, None, b"")

        cast("Any", engine).submit = judge
        application = Application(cast("Any", engine), site_of(engine), Limits())
        for number, body, path in requests:
            await Caller(part(body), client=("x", number), path=path).serve(application)

    def known_at(*requests: Asked) -> list[bool | None]:
        asyncio.run(ask(requests))
        return known

    monkeypatch.setattr(asgi, "stands_behind", seen)
    return known_at


def asks(number: int, body: bytes = b"[1]", path: str = "/invocations") -> Asked:
    return number, body, path


def test_of_many_callers_the_oldest_is_forgotten_for_a_new_one(trust: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "_CALLERS", 3)
    known = trust(asks(1), asks(2), asks(3), asks(3), asks(2, b"bad"), asks(1), asks(2), asks(4), asks(2), asks(1))
    assert known[:3] == [None] * 3
    assert known[3:7] == [True, True, True, False], "whoever comes again takes nobody's place"
    assert known[7:] == [None, True, None]


@pytest.mark.parametrize("body", [BUSY, b"fails"])
@pytest.mark.parametrize("waits", [False, True])
def test_a_5xx_leaves_a_caller_as_it_was(
    trust: Any, body: bytes, waits: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if waits:
        spend_turns(monkeypatch)
    assert trust(asks(1, body), asks(1, body)) == [None] * 2
    assert trust(asks(2, b"bad"), asks(2, body), asks(2, body))[2:] == [None, False, False]
    assert trust(asks(3), asks(3, body), asks(3, body))[5:] == [None, True, True]
    assert ("ZeroDivisionError" in capsys.readouterr().err) == (body == b"fails")


def test_a_refusal_before_the_body_is_the_callers_fault(trust: Any) -> None:
    assert trust(asks(1), asks(1, path="/nowhere"), asks(1)) == [None, False]


@dataclasses.dataclass
class Line:
    """An application whose every request takes longer than a turn, and what has got its turn."""

    application: Application
    engine: EchoEngine
    decoded: list[bytes]

    async def flood(self) -> list[asyncio.Task[None]]:
        """Ten requests, of which all but one have to wait, as has whatever is asked next."""
        asked = [asyncio.create_task(Caller(part(b"[1]")).serve(self.application)) for _ in range(10)]
        await asyncio.sleep(0)
        return asked


def line_of() -> Line:
    engine = EchoEngine(asyncio.get_running_loop().call_soon)
    site, submit, decoded = site_of(engine), engine.submit, list[bytes]()

    def slow(call: Any, reply: Any) -> Any:
        time.sleep(0.006)
        decoded.append(call.body)
        return submit(call, reply)

    def page(context: SiteContext) -> Response:
        decoded.append(context.body)
        return Response(body=b"")

    cast("Any", engine).submit = slow
    site.add("/page", page)
    return Line(Application(cast("Any", engine), site, Limits()), engine, decoded)


@pytest.mark.parametrize("path", ["/invocations", "/page"])
def test_who_left_while_it_stood_in_line_is_not_decoded_and_its_body_not_kept(path: str) -> None:
    async def leave() -> None:
        line, body = line_of(), b"left" * 100
        others, references = await line.flood(), sys.getrefcount(body)
        leaver = Caller(part(body), GONE, path=path)
        await leaver.serve(line.application)
        assert sum(not other.done() for other in others) > 3, "before its turn came"
        assert sys.getrefcount(body) == references
        await asyncio.gather(*others)
        assert (leaver.sent, line.decoded) == ([], [b"[1]"] * 10)

    asyncio.run(leave())


def test_who_leaves_as_its_turn_comes_is_dropped_from_the_queue() -> None:
    """A server may tell only once that a caller has left."""

    async def leave() -> None:
        line = line_of()
        others, leaver = await line.flood(), Caller(part(HOLD))
        submit, receive = line.engine.submit, leaver.receive
        gone = asyncio.get_running_loop().create_future()
        told = [receive, lambda: gone]

        def last(call: Any, reply: Any) -> Any:
            if call.body == HOLD:
                gone.set_result(GONE)
            return submit(call, reply)

        async def tell() -> Message:
            return await (told.pop(0) if told else receive)()

        cast("Any", line.engine).submit = last
        cast("Any", leaver).receive = tell
        await leaver.serve(line.application)
        await asyncio.gather(*others)
        assert (leaver.sent, line.engine.cancelled) == ([], [HOLD])

    asyncio.run(leave())


def test_a_request_that_the_server_ends_while_it_stands_in_line_is_not_decoded() -> None:
    async def end() -> None:
        line = line_of()
        others = await line.flood()
        last = asyncio.create_task(Caller(part(b"left")).serve(line.application))
        for _ in range(4):
            await asyncio.sleep(0)
        last.cancel()
        await asyncio.gather(*others)
        assert last.cancelled()
        assert line.decoded == [b"[1]"] * 10

    asyncio.run(end())


@pytest.mark.parametrize("body", [b"[1]", b"wrong", b"packed"])
@pytest.mark.parametrize("waits", [False, True])
def test_requests_leave_nothing_for_the_collector(body: bytes, waits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read of a refused request is large, and the collector would go through it while everybody waits."""
    if waits:
        spend_turns(monkeypatch)
    headers = ((b"content-encoding", b"gzip"),) if body == b"packed" else ()

    def decode(call: Any, reply: Any) -> Any:
        time.sleep(0.006)
        try:
            read_number(call.body)
        except RequestError as error:
            reply(error)
        else:
            reply(Answer("text/csv", call.body, 1))
        return Ticket(engine, None, b"")

    def read_number(body: bytes) -> None:
        try:
            json.loads(body)
        except ValueError as error:
            raise RequestError("wrong_type", "wrong") from error

    engine = EchoEngine(lambda _: None)
    cast("Any", engine).submit = decode
    application = Application(cast("Any", engine), site_of(engine), Limits())

    async def ask() -> int:
        statuses = set[int]()
        for _ in range(2):
            callers = [Caller(part(body), headers=headers) for _ in range(10 if waits else 1)]
            gc.collect()
            await asyncio.gather(*(caller.serve(application) for caller in callers))
            statuses |= {caller.status for caller in callers}
            del callers
            await asyncio.sleep(0)
            assert len(asyncio.all_tasks()) == 1, "nobody is watched any more"
        assert statuses == {200 if body == b"[1]" else 400}
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            gc.collect()
            return sum(isinstance(found, BaseException | FrameType) for found in gc.garbage)
        finally:
            gc.set_debug(0)
            gc.garbage.clear()

    assert asyncio.run(ask()) == 0
