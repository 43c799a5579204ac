import pytest

from serving.core.job import Answer
from serving.http.routes import Response
from serving.http.writer import CLOSE, KEEP, KEEP_HTTP10, Writer
from tests.serving.http.harness import parse


@pytest.mark.parametrize(("ending", "connection"), [(KEEP, None), (CLOSE, "close"), (KEEP_HTTP10, "keep-alive")])
def test_an_answer_with_its_variant(ending: int, connection: str | None) -> None:
    writer = Writer()
    for _ in range(2):
        reply, rest = parse(writer.answer(Answer("text/csv", b"1\n", 1), b"id-1", ending, "blue"))
        assert reply is not None
        assert (reply.status, reply.body, rest) == (200, b"1\n", b"")
        assert reply.headers["x-amzn-invoked-production-variant"] == "blue"
        assert (reply.headers["x-request-id"], reply.headers.get("connection")) == ("id-1", connection)


def test_the_date_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 0.0)
    writer = Writer()
    assert b"date: Thu, 01 Jan 1970 00:00:00 GMT\r\n" in writer.answer(Answer("a/b", b"", 0), b"", KEEP, "")
    monkeypatch.setattr("time.time", lambda: 61.0)
    writer.tick()
    assert b"date: Thu, 01 Jan 1970 00:01:01 GMT\r\n" in writer.answer(Answer("a/b", b"", 0), b"", KEEP, "")


def test_heads_do_not_pile_up() -> None:
    writer = Writer()
    for number in range(4200):
        assert b"-variant: v%d\r\n" % number in writer.answer(Answer("a/b", b"", 1), b"i", KEEP, f"v{number}")
    assert len(writer._heads) <= 4096  # pyright: ignore[reportPrivateUsage]


def test_a_response_for_head_keeps_its_length() -> None:
    raw = Writer().response(Response(body=b"page", content_type="text/html"), b"i", KEEP, head_only=True)
    assert b"content-length: 4\r\n" in raw
    assert raw.endswith(b"x-request-id: i\r\n\r\n")
