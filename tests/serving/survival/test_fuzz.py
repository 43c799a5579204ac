"""Bytes that no client would send, to a real server over real sockets: a 4xx or the end, never a 5xx or a wrong 200."""

import contextlib
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.serving.conftest import PATIENCE
from tests.serving.http.harness import Client, Reply, parse, post
from tests.serving.survival.conftest import CAR, PREDICTION, children

pytestmark = pytest.mark.slow
BODY = json.dumps(CAR).encode()
METHODS = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "CONNECT",
    "OPTIONS",
    "TRACE",
    "PATCH",
    "get",
    "",
    "P\0ST",
    "A" * 300,
]
PATHS = [
    "/invocations",
    "/ping",
    "/metrics",
    "/",
    "/docs",
    "/openapi.json",
    "/nowhere",
    "*",
    "",
    "//",
    "/../../etc/passwd",
]
PATHS += ["/%2e%2e/%2e%2e/etc/passwd", "/ping?" + "a" * 5000, "http://x/ping", "/%", "/%00", "/\xff", "/ping#a", "x:80"]
VERSIONS = ["HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.1 x", "http/1.1", "", "ICY"]
HEADERS = [
    "Host: x",
    f"Content-Length: {len(BODY)}",
    "Content-Length: 0",
    "Content-Length: -1",
    "Content-Type: text/csv",
]
HEADERS += ["Content-Type: application/json", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked"]
HEADERS += ["Connection: close", "Connection: upgrade", "Upgrade: h2c", "Expect: 100-continue", "Expect: tea"]
HEADERS += [
    "Content-Encoding: gzip",
    "Content-Encoding: br",
    "Accept: */*;q=0",
    "X-Request-Deadline-Ms: soon",
    "no colon",
]
HEADERS += [
    ": no name",
    " folded",
    "X: " + "a" * 9000,
    "X-Request-Id: \x01",
    "X-Request-Id: é",
    "Host: y",
    "Range: bytes=1-",
]


@pytest.fixture(scope="module")
def server(start_server: Callable[..., Any], base_dir: Path) -> Iterator[Any]:
    """One server for all that is sent here; in the end it is the same process and answers."""
    process = start_server(base_dir)
    process.wait_until_ready()
    workers = children(process.process.pid)
    yield process
    assert children(process.process.pid) == workers
    with Client(process.port) as client:
        answer = client.send(post(BODY)).answer()
    assert json.loads(answer.body)["predictions"] == [pytest.approx(PREDICTION, abs=1e-3)]
    said = [json.loads(line) for line in process.stderr().splitlines()]
    assert [record for record in said if record["level"] == "error" or "trace" in record] == []


def answers(port: int, sent: bytes) -> list[Reply]:
    """All answers to `sent`, after which the caller says no more; h11 raises at what is no HTTP."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(1 << 16):
                received += part
    found: list[Reply] = []
    while received:
        # An answer to HEAD has no body, whatever it is that was asked so.
        method = "HEAD" if sent.startswith(b"HEAD ") and not found else "POST"
        reply, received = parse(received, method, ended=True)
        assert reply is not None, received
        found.append(reply)
    return found


def wrong(found: list[Reply]) -> list[Reply]:
    """Those that no server should give: a 5xx, a refusal without a message, another prediction than the model's."""
    return [reply for reply in found if not is_right(reply)]


def is_right(reply: Reply) -> bool:
    if reply.status == 200 and b'"predictions"' in reply.body:
        return json.loads(reply.body)["predictions"] == [pytest.approx(PREDICTION, abs=1e-3)]
    if reply.status >= 400 and reply.body:
        return reply.status < 500 and len(reply.error["message"]) > 10
    return reply.status < 500


@settings(deadline=None, max_examples=500)
@given(
    st.sampled_from(METHODS) | st.text(st.characters(max_codepoint=255), max_size=8),
    st.sampled_from(PATHS) | st.text(st.characters(max_codepoint=255), max_size=30).map(lambda text: f"/{text}"),
    st.sampled_from(VERSIONS),
    st.lists(st.sampled_from(HEADERS), max_size=6),
    st.sampled_from([b"", BODY, b"0\r\n\r\n", b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY), b"ffffffffffffffff\r\n"]),
)
@example("HEAD", "/invocations", "HTTP/1.1", [], b"")
def test_any_request_line_with_any_headers(
    server: Any, method: str, path: str, version: str, headers: list[str], body: bytes
) -> None:
    head = "\r\n".join([f"{method} {path} {version}", *headers, "", ""])
    assert wrong(answers(server.port, head.encode("latin-1") + body)) == []


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200))
def test_any_bytes(server: Any, sent: bytes) -> None:
    assert wrong(answers(server.port, sent)) == []


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_right_request_that_was_damaged(server: Any, data: st.DataObject) -> None:
    """A byte is changed, taken away or doubled: what is still a request is answered as what it says."""
    sent = bytearray(post(BODY))
    place = data.draw(st.integers(0, len(sent) - len(BODY) - 1))
    how = data.draw(st.sampled_from(["change", "remove", "double"]))
    if how == "change":
        sent[place] = data.draw(st.integers(0, 255))
    elif how == "remove":
        del sent[place]
    else:
        sent.insert(place, sent[place])
    assert wrong(answers(server.port, bytes(sent))) == []


FORGED = '{"time": "2026-01-01T00:00:00.000Z", "level": "info", "message": "forged"}'


def test_no_caller_writes_a_line_of_the_log(start_server: Callable[..., Any], base_dir: Path) -> None:
    """Names of fields, categories, ids, paths and types that hold line ends and whole records."""
    server = start_server(base_dir)
    server.wait_until_ready()
    row = CAR | {f"\n{FORGED}\n": 1}
    quoted = FORGED.replace('"', "'")
    with Client(server.port) as client:
        for raw in (
            post(json.dumps(row).encode(), "X-Request-Id: forge-1"),
            post(json.dumps(CAR | {"origin": f"\n{FORGED}\n"}).encode(), "X-Request-Id: forge-2"),
            post(BODY, f"X-Request-Id: {FORGED}").replace(b"application/json", b"text/" + FORGED.encode()),
            post(f"\r\n{FORGED}\r\n{quoted}".encode(), "X-Request-Id: forge-3").replace(
                b"application/json", b"text/csv"
            ),
            post(BODY, "X-Request-Id: forge-4", path="/%0A" + quoted.replace(" ", "%20")),
        ):
            assert 400 <= client.send(raw).answer().status < 500
    server.wait_until_said("forge-3")
    records = [json.loads(line) for line in server.stderr().splitlines()]
    assert {"time", "level", "message"} <= set.intersection(*(set(record) for record in records))
    assert [record for record in records if record["message"] == "forged"] == []
