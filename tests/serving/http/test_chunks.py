import pytest

from serving.core.errors import RequestError
from serving.http.chunks import ChunkedBody


def test_what_follows_the_body_is_left() -> None:
    body = ChunkedBody(100, 100)
    data = b"2\r\nab\r\n0\r\n\r\nGET /"
    assert body.feed(data) == len(data) - len(b"GET /")
    assert (body.complete, bytes(body.content)) == (True, b"ab")
    assert body.feed(b"GET /") == 0


def test_very_many_chunks_are_taken_in_bit_by_bit() -> None:
    body = ChunkedBody(10_000, 100)
    data = b"1\r\na\r\n" * 5_000 + b"0\r\n\r\nGET /"
    taken = body.feed(data)
    assert 0 < taken < 3_000
    assert body.unfinished
    feeds = 1
    while body.unfinished:
        taken += body.feed(data[taken:])
        feeds += 1
    assert feeds >= 10
    assert (body.complete, len(body.content), data[taken:]) == (True, 5_000, b"GET /")


def test_a_line_that_is_not_there_whole_is_shown_again() -> None:
    body = ChunkedBody(100, 100)
    assert body.feed(b"1") == 0
    assert body.feed(b"10\r\n" + b"x" * 16 + b"\r") == 4 + 16
    assert body.feed(b"\r\n0\r\nA: b") == 2 + 3
    assert body.feed(b"A: b\r\n\r\n") == 8
    assert (body.complete, len(body.content)) == (True, 16)


def test_a_body_is_refused_by_the_size_of_a_chunk_before_it_comes() -> None:
    body = ChunkedBody(10, 100)
    body.feed(b"6\r\nabcdef\r\n")
    with pytest.raises(RequestError, match="at most 10 bytes") as refused:
        body.feed(b"5\r\n")
    assert refused.value.status == 413
