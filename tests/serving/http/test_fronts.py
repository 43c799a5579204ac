"""What a caller sees, over real sockets, the same with either front."""

import gzip
import json
import time
from collections.abc import Callable

import pytest

from tests.serving.http.harness import BODY_LIMIT, BUSY, HOLD, PATIENCE, Server, get, post, until

CHUNKED = b"POST /invocations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_a_call_is_answered_with_everything_that_belongs_to_it(server: Server) -> None:
    with server.connect() as client:
        answer = client.send(post(b"[1]", "Accept: text/csv", "X-Amzn-SageMaker-Target-Variant: blue")).answer()
    assert (answer.status, answer.body) == (200, b"[1]")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["date"].endswith(" GMT")
    call = server.engine.calls[-1]
    assert (call.content_type, call.accept, call.variant) == ("application/json", "text/csv", "blue")
    assert call.deadline is None


def test_a_request_keeps_its_name(server: Server) -> None:
    with server.connect() as client:
        assert client.send(post(b"1", "X-Request-Id: mine-1")).answer().headers["x-request-id"] == "mine-1"
        assert server.engine.calls[-1].request_id == "mine-1"
        made = [client.send(post(b"1")).answer().headers["x-request-id"] for _ in range(2)]
        odd = client.send(post(b"1", "X-Request-Id: two words")).answer().headers["x-request-id"]
    assert len({*made, odd}) == 3
    assert all(len(name) > 10 and " " not in name for name in (*made, odd))


def test_a_deadline_in_milliseconds_is_handed_on(server: Server) -> None:
    with server.connect() as client:
        sent = time.monotonic()
        client.send(post(b"1", "X-Request-Deadline-Ms: 2000")).answer()
        deadline = server.engine.calls[-1].deadline
        assert deadline is not None
        assert sent <= deadline - 2 <= time.monotonic()
        for wrong in ("0", "-5", "soon", "1.5", "99999999"):
            answer = client.send(post(b"1", f"X-Request-Deadline-Ms: {wrong}")).answer()
            assert (answer.status, answer.error["code"]) == (400, "malformed_request")
            assert "X-Request-Deadline-Ms" in answer.error["message"]


def test_answers_keep_the_order_of_pipelined_requests(server: Server) -> None:
    requests = [post(b"%d" % i) if i % 3 else get(f"/shows?{i}") for i in range(30)]
    with server.connect() as client:
        client.send(b"".join(requests))
        answers = [client.answer() for _ in requests]
    seen = [int(json.loads(a.body)["query"]) if i % 3 == 0 else int(a.body) for i, a in enumerate(answers)]
    assert seen == list(range(30))


def test_a_refusal_of_the_engine_says_when_to_come_again(server: Server) -> None:
    with server.connect() as client:
        answer = client.send(post(BUSY)).answer()
        assert (answer.status, answer.headers["retry-after"]) == (503, "3")
        assert client.send(post(b"1")).answer().status == 200


@pytest.mark.parametrize(("version", "header"), [("1.1", "Connection: close"), ("1.0", "Accept: */*")])
def test_a_caller_that_wants_it_closed_gets_it_closed(server: Server, version: str, header: str) -> None:
    with server.connect() as client:
        answer = client.send(post(b"1", header, version=version)).answer()
        assert (answer.body, answer.headers["connection"]) == (b"1", "close")
        assert client.closed()


@pytest.mark.parametrize("path", ["/shows", "/nowhere", "/refuses"])
def test_head_is_get_without_its_body(server: Server, path: str) -> None:
    with server.connect() as client:
        whole = client.send(get(path)).answer("GET")
        bare = client.send(get(path, method="HEAD")).answer("HEAD")
        assert (bare.status, bare.body) == (whole.status, b"")
        # "method" is a letter longer in the answer to HEAD, and so is nothing else
        longer = 1 if path == "/shows" else 0
        assert int(bare.headers["content-length"]) == len(whole.body) + longer
        assert client.send(get("/shows")).answer("GET").status == 200


def test_a_body_in_chunks(server: Server) -> None:
    with server.connect() as client:
        client.send(CHUNKED + b"3;a=b\r\n[1,\r\n2\r\n2]\r\n0\r\nChecksum: x\r\n\r\n")
        assert client.answer().body == b"[1,2]"
        assert client.send(CHUNKED + b"0\r\n\r\n" + post(b"next")).answer().body == b""
        assert client.answer().body == b"next"


def test_a_body_above_the_limit_is_refused_by_its_announced_length(server: Server) -> None:
    with server.connect() as client:
        head = post(b"").replace(b"Content-Length: 0", b"Content-Length: 5000000000")
        answer = client.send(head + b"[[").answer()
        assert (answer.status, answer.error["code"]) == (413, "body_too_large")
        assert f"at most {BODY_LIMIT} bytes" in answer.error["message"]


def test_a_body_above_the_limit_is_refused_where_nothing_is_announced(server: Server) -> None:
    with server.connect() as client:
        answer = client.send(CHUNKED + b"200\r\n" + b" " * 0x200 + b"\r\n200\r\n" + b" " * 0x200).answer()
        assert (answer.status, answer.error["code"]) == (413, "body_too_large")


def test_a_caller_that_sends_all_of_it_still_reads_the_answer(server: Server, serve: Callable[..., Server]) -> None:
    """However long that takes: the time for the rest of a refused request must not run out on a slow machine."""
    with serve(server.name, drain_seconds=PATIENCE).connect() as client:
        answer = client.send(post(b" " * 3_000_000)).answer()
        assert (answer.status, answer.error["code"]) == (413, "body_too_large")


def test_100_continue_comes_before_the_body_is_sent(server: Server) -> None:
    head, _, body = post(b"[1]", "Expect: 100-continue").partition(b"[1]")
    with server.connect() as client:
        assert client.send(head).answer().status == 100
        assert client.send(b"[1]" + body).answer().body == b"[1]"


def test_a_refusal_takes_the_place_of_100_continue(server: Server) -> None:
    head = post(b"", "Expect: 100-continue").replace(b"Length: 0", b"Length: 1001")
    with server.connect() as client:
        answer = client.send(head).answer()
        assert (answer.status, answer.error["code"]) == (413, "body_too_large")


def test_other_expectations_cannot_be_met(server: Server) -> None:
    with server.connect() as client:
        answer = client.send(post(b"", "Expect: a-miracle")).answer()
        assert (answer.status, answer.error["code"]) == (417, "expectation_failed")


def test_wrong_paths_and_methods_are_told_what_there_is_and_the_connection_goes_on(server: Server) -> None:
    with server.connect() as client:
        answer = client.send(get("/static/../secret")).answer("GET")
        assert (answer.status, answer.error["code"]) == (404, "not_found")
        assert "/invocations" in answer.error["message"]
        for method in ("GET", "PUT", "DELETE", "OPTIONS", "TRACE"):
            answer = client.send(get("/invocations", method=method)).answer(method)
            assert (answer.status, answer.headers["allow"]) == (405, "POST")
        answer = client.send(post(b"[1]", path="/fails")).answer()
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
        assert client.send(post(b"[1]")).answer().body == b"[1]"


def test_a_path_may_be_encoded_and_absolute(server: Server) -> None:
    with server.connect() as client:
        assert (
            client.send(get("/%73hows?a=%20b")).answer("GET").body
            == b'{"query": "a=%20b", "body": "", "method": "GET"}'
        )
        assert client.send(get("http://x/shows")).answer("GET").status == 200


def test_gzip_is_unpacked(server: Server) -> None:
    with server.connect() as client:
        packed = gzip.compress(b"[1, 2]")
        assert client.send(post(packed, "Content-Encoding: gzip")).answer().body == b"[1, 2]"
        answer = client.send(post(packed, "Content-Encoding: gzip", path="/shows")).answer()
        assert json.loads(answer.body)["body"] == "[1, 2]"
        assert client.send(post(b"[3]", "Content-Encoding: identity")).answer().body == b"[3]"


@pytest.mark.parametrize(
    ("body", "encoding", "status", "code"),
    [
        (gzip.compress(b" " * 600_000), "gzip", 413, "body_too_large"),
        (gzip.compress(b" " * (BODY_LIMIT + 1)), "gzip", 413, "body_too_large"),
        (gzip.compress(b"[1]")[:-4], "gzip", 400, "malformed_encoding"),
        (b"[1]", "gzip", 400, "malformed_encoding"),
        (b"", "gzip", 400, "malformed_encoding"),
        (b"[1]", "br", 415, "unsupported_content_encoding"),
        (b"[1]", "gzip, gzip", 415, "unsupported_content_encoding"),
    ],
)
def test_what_is_not_gzip_or_too_much_is_refused(
    server: Server, body: bytes, encoding: str, status: int, code: str
) -> None:
    with server.connect() as client:
        answer = client.send(post(body, f"Content-Encoding: {encoding}")).answer()
        assert (answer.status, answer.error["code"]) == (status, code)
        assert client.send(post(b"[1]")).answer().status == 200
    if status == 415:
        assert answer.headers["accept-encoding"] == "gzip, identity"


TARGET = "X-Amzn-SageMaker-Target-Variant"


@pytest.mark.parametrize(
    ("sent", "code", "names"),
    [
        (get("/nowhere", "{0}"), "not_found", True),
        (get("/invocations", "{0}"), "method_not_allowed", True),
        (post(b" " * (BODY_LIMIT + 1), "{0}"), "body_too_large", True),
        (post(b"[1]", "Content-Encoding: br", "{0}"), "unsupported_content_encoding", True),
        (post(b"[1]", "Content-Encoding: gzip", "{0}"), "malformed_encoding", True),
        (post(b"[1]", "Content-Encoding: gzip", "{0}", path="/shows"), "malformed_encoding", True),
        (post(b"[1]", "X-Request-Deadline-Ms: soon", "{0}"), "malformed_request", True),
        (CHUNKED.replace(b"Host: x", b"Host: x\r\n{0}") + b"500\r\n" + b" " * 0x500, "body_too_large", True),
        (post(b"", "Expect: a-miracle", "{0}"), "expectation_failed", False),
    ],
)
@pytest.mark.parametrize(
    ("variant", "counted"), [("", "blue"), ("blue", "blue"), ("green", "green"), ("made-up", "blue")]
)
def test_a_refusal_counts_for_the_variant_that_it_names_or_for_the_default_one(
    server: Server, sent: bytes, code: str, names: bool, variant: str, counted: str
) -> None:
    header = f"{TARGET}: {variant}" if variant else "Accept: */*"
    with server.connect() as client:
        answer = client.send(sent.replace(b"{0}", header.encode())).answer()
    assert answer.error["code"] == code
    assert server.counts.refusals[-1] == (answer.status, code)
    assert server.counts.variants[-1] == (counted if names else "blue"), "what is not understood names none"


def test_a_handler_that_fails_is_a_500_without_innards(server: Server, capfd: pytest.CaptureFixture[str]) -> None:
    with server.connect() as client:
        answer = client.send(get("/fails")).answer("GET")
        assert (answer.status, answer.error["code"]) == (500, "internal")
        assert b"secret" not in answer.body
        assert "ZeroDivisionError: secret" in capfd.readouterr().err
        refused = client.send(get("/refuses")).answer("GET")
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")


def test_an_answer_without_a_body(server: Server) -> None:
    with server.connect() as client:
        answer = client.send(get("/unchanged")).answer("GET")
        assert (answer.status, answer.body) == (304, b"")
        assert client.send(get("/shows")).answer("GET").headers["cache-control"] == "max-age=60"


def test_a_request_in_single_bytes_is_the_same_request(server: Server) -> None:
    with server.connect() as client:
        for byte in post(b"[1]", "X-Request-Id: slowly"):
            client.send(bytes([byte]))
        answer = client.answer()
        assert (answer.body, answer.headers["x-request-id"]) == (b"[1]", "slowly")


def test_a_caller_that_goes_away_is_dropped_from_the_queue(server: Server) -> None:
    body = HOLD + server.name.encode()
    with server.connect() as client:
        client.send(post(body))
        until(lambda: bool(server.engine.held))
    until(lambda: body in server.engine.cancelled)
    assert server.engine.cancelled.count(body) == 1
    server.engine.held.clear()


SMUGGLED = {
    "both lengths": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 4\r\nContent-Length: 5\r\n\r\n",
    "a list of lengths": b"Content-Length: 4, 5\r\n\r\n",
    "a signed length": b"Content-Length: +4\r\n\r\n",
    "a hexadecimal length": b"Content-Length: 0x4\r\n\r\n",
    "an empty length": b"Content-Length:\r\n\r\n",
    "another coding": b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": b"Content-Length : 4\r\n\r\n",
    "a signed chunk": b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
    "a chunk size with a prefix": b"Transfer-Encoding: chunked\r\n\r\n0x1\r\n1\r\n0\r\n\r\n",
    "a chunk that is longer": b"Transfer-Encoding: chunked\r\n\r\n1\r\n123\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("rest", SMUGGLED.values(), ids=SMUGGLED)
def test_two_requests_in_one_are_refused_and_the_connection_closed(server: Server, rest: bytes) -> None:
    before = len(server.engine.calls)
    with server.connect() as client:
        client.send(b"POST /invocations HTTP/1.1\r\nHost: x\r\n" + rest + post(b"smuggled"))
        answer = client.answer()
        assert 400 <= answer.status < 500
        assert answer.headers["connection"] == "close"
        assert client.closed()
    assert [call.body for call in server.engine.calls[before:]] == []
