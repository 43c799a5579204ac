"""h11 as the judge of the default front: of what it takes in, however it is cut or damaged, and of what it sends."""

from dataclasses import dataclass

import h11
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from serving.core.errors import RequestError
from serving.http.chunks import ChunkedBody
from tests.serving.http.harness import HOLD, Bench

pytestmark = pytest.mark.slow  # ten seconds of examples
POST = b"POST /invocations HTTP/1.1\r\nHost: x\r\n"
TOKENS = st.text("abcXYZ-_.~!#09", min_size=1, max_size=12)
VALUES = st.text("ab ,;=\t/é", max_size=10)
BODIES = st.binary(max_size=60).filter(lambda body: not body.startswith(HOLD) and body != b"busy")

DAMAGE = [
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b"0",
    b":",
    b"\0",
    b"\xff",
    b"\x0b",
    b",",
    b";",
    b"\r\n\r\n",
    b"0\r\n\r\n",
]
DAMAGE += [b"\r\nContent-Length: 5", b"\r\nTransfer-Encoding: chunked", b"Connection: close\r\n", b"\r\nHost: y"]


@dataclass(frozen=True)
class Sent:
    """A request as bytes, and what must be understood of it."""

    raw: bytes
    body: bytes


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    """A valid call with odd but allowed headers, its body with a length or in chunks."""
    body = draw(BODIES)
    names = ["Host: x", *(f"X-{name}: {draw(VALUES).strip()}" for name in draw(st.lists(TOKENS)))]
    if draw(st.booleans()):
        raw_body = body
        length = draw(st.sampled_from(["Content-Length: {}", "content-length:{}", "CONTENT-LENGTH:  {} "]))
        names.append(length.format(len(body)))
    else:
        raw_body = b""
        rest = body
        while rest:
            size = draw(st.integers(1, len(rest)))
            extension = draw(st.sampled_from([b"", b";a", b";a=b", b';a="b c"']))
            raw_body += b"%x%b\r\n%b\r\n" % (size, extension, rest[:size])
            rest = rest[size:]
        raw_body += draw(st.sampled_from([b"0\r\n\r\n", b"000\r\n\r\n", b"0\r\nTrailer: x\r\n\r\n", b"0;last\r\n\r\n"]))
        names.append(draw(st.sampled_from(["Transfer-Encoding: chunked", "transfer-encoding:Chunked"])))
    head = "\r\n".join(["POST /invocations HTTP/1.1", *draw(st.permutations(names)), "", ""])
    return Sent(head.encode("latin-1") + raw_body, body)


@st.composite
def splits(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """`data` cut into reads."""
    if not data:
        return []
    cuts = sorted(draw(st.sets(st.integers(0, len(data)), max_size=20)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True) if a < b]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Valid requests with a few bytes changed, taken out, put in, repeated or put elsewhere."""
    data = b"".join(sent.raw for sent in draw(st.lists(requests(), min_size=1, max_size=3)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        to = min(len(data), at + draw(st.integers(0, 30)))
        piece = draw(
            st.one_of(
                st.sampled_from(DAMAGE),
                st.binary(max_size=3),
                st.just(data[at:to] * 2),
                st.just(b""),
            )
        )
        data = data[:at] + piece + data[to if draw(st.booleans()) else at :]
    return data


def understood(data: bytes) -> list[tuple[bytes, bytes, bytes]]:
    """Method, target and body of every request that h11 takes from `data`, up to the first that it refuses."""
    found: list[tuple[bytes, bytes, bytes]] = []
    rest = data
    while rest:
        # The one thing that we forgive and h11 does not; RFC 9112, 2.2 says that a server should.
        rest = rest.removeprefix(b"\r\n")
        judge = h11.Connection(h11.SERVER)
        judge.receive_data(rest)
        request: h11.Request | None = None
        body = b""
        try:
            while True:
                event = judge.next_event()
                if isinstance(event, h11.Request):
                    request = event
                elif isinstance(event, h11.Data):
                    body += bytes(event.data)
                elif isinstance(event, h11.EndOfMessage):
                    break
                else:
                    return found
        except h11.RemoteProtocolError:
            return found
        assert request is not None
        found.append((request.method, request.target, body))
        rest = judge.trailing_data[0]
        if judge.our_state is h11.MUST_CLOSE or judge.their_state is h11.MUST_CLOSE:
            return found
    return found


@settings(max_examples=150, deadline=None)
@given(st.data(), st.lists(requests(), min_size=1, max_size=5))
def test_however_the_bytes_are_cut_the_answers_are_those_of_the_whole(data: st.DataObject, sent: list[Sent]) -> None:
    whole = b"".join(one.raw for one in sent)
    bench = Bench()
    bench.read(*data.draw(splits(whole)))
    assert [answer.body for answer in bench.answers()] == [one.body for one in sent]
    assert [answer.status for answer in bench.answers()] == [200] * len(sent)
    assert understood(whole) == [(b"POST", b"/invocations", one.body) for one in sent]


@settings(max_examples=400, deadline=None)
@given(st.data(), damaged())
@example(
    None, b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
)
def test_whatever_h11_refuses_we_refuse(data: st.DataObject | None, sent: bytes) -> None:
    """What we have the engine answer is what h11 understood, or less: never another request, never one more."""
    bench = Bench()
    bench.read(*(data.draw(splits(sent)) if data else [sent]))
    ours = [call.body for call in bench.engine.calls]
    theirs = [body for method, target, body in understood(sent) if (method, target) == (b"POST", b"/invocations")]
    assert ours == theirs[: len(ours)]
    answers = bench.answers()
    refusals = [answer for answer in answers if answer.status not in (100, 200)]
    assert all(400 <= answer.status < 500 and answer.error["message"] for answer in refusals)
    assert len([answer for answer in answers if answer.status == 200]) == len(ours)
    if any(answer.headers.get("connection") == "close" for answer in answers):
        assert bench.transport.closed or bench.transport.half_closed


@settings(max_examples=200, deadline=None)
@given(st.data(), damaged())
def test_a_damaged_request_is_answered_alike_however_it_is_cut(data: st.DataObject, sent: bytes) -> None:
    whole, cut = Bench(), Bench()
    whole.read(sent)
    cut.read(*data.draw(splits(sent)))
    assert [answer.status for answer in cut.answers()] == [answer.status for answer in whole.answers()]
    assert [call.body for call in cut.engine.calls] == [call.body for call in whole.engine.calls]


@settings(max_examples=150, deadline=None)
@given(st.data(), st.lists(st.tuples(st.booleans(), st.integers(0, 30)), min_size=1, max_size=12))
def test_answers_keep_their_order_whichever_is_ready_first(data: st.DataObject, kinds: list[tuple[bool, int]]) -> None:
    bodies = [(HOLD if held else b"") + b"%d" % number for held, number in kinds]
    raw = b"".join(POST + b"Content-Length: %d\r\n\r\n%b" % (len(b), b) for b in bodies)
    bench = Bench()
    bench.read(*data.draw(splits(raw)))
    for ticket in data.draw(st.permutations(bench.engine.held)):
        ticket.settle()
        bench.clock.turn()
    assert [answer.body for answer in bench.answers()] == bodies


@settings(max_examples=150, deadline=None)
@given(st.data(), st.binary(max_size=80))
def test_any_bytes_as_a_chunked_body_are_read_as_h11_reads_them_or_refused(data: st.DataObject, sent: bytes) -> None:
    framed = data.draw(st.sampled_from([sent, b"%x\r\n%b\r\n0\r\n\r\n" % (len(sent), sent), b"3\r\nabc\r\n" + sent]))
    ours = ChunkedBody(1000, 1000)
    rest, refused = b"", False
    try:
        for part in data.draw(splits(framed)):
            rest += part
            rest = rest[ours.feed(rest) :]
    except RequestError:
        refused = True
    if ours.complete and not refused:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        assert understood(head + framed)[0] == (b"POST", b"/", bytes(ours.content))
