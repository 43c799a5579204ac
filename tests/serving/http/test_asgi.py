"""The ASGI application by itself, as any ASGI server would call it."""

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any, cast

import pytest

from serving.http.asgi import Application
from serving.http.limits import Limits
from tests.serving.http.harness import HOLD, Counts, EchoEngine, site_of

Message = MutableMapping[str, Any]


class Caller:
    """One request: what the application receives and sends. After the last message the caller says nothing more."""

    def __init__(self, *messages: Message, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        self.sent: list[Message] = []
        self.counts = Counts()
        self.engine: EchoEngine = cast("EchoEngine", None)
        self._messages = list(messages)
        self._scope: Message = {"type": "http", "method": "POST", "path": "/invocations", "http_version": "1.1"}
        self._scope["headers"] = [(b"host", b"x"), *headers]

    async def receive(self) -> Message:
        if self._messages:
            return self._messages.pop(0)
        return await asyncio.Future()

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    def call(self, **limits: Any) -> None:
        async def ask() -> None:
            self.engine = EchoEngine(asyncio.get_running_loop().call_soon)
            engine = cast("Any", self.engine)
            application = Application(engine, site_of(engine), Limits(**limits), self.counts)
            await asyncio.wait_for(application(self._scope, self.receive, self.send), 5)

        asyncio.run(ask())

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
