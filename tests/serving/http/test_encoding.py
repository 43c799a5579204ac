import gzip
import tracemalloc

import pytest

from serving.core.errors import RequestError
from serving.http.encoding import check_encoding, decoded


def test_a_body_of_several_files_is_their_contents() -> None:
    assert decoded(gzip.compress(b"[1,") + gzip.compress(b"2]"), "gzip", 100) == b"[1,2]"
    assert decoded(b"as it is", "", 3) == b"as it is"


def test_exactly_the_limit_is_allowed() -> None:
    assert decoded(gzip.compress(b"x" * 100), "x-gzip", 100) == b"x" * 100
    with pytest.raises(RequestError, match="at most 99 bytes"):
        decoded(gzip.compress(b"x" * 100), "gzip", 99)


def test_a_bomb_costs_no_more_than_its_limit() -> None:
    bomb = gzip.compress(b"\0" * 20_000_000, 1)
    tracemalloc.start()
    try:
        with pytest.raises(RequestError) as refused:
            decoded(bomb, "gzip", 1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
    assert refused.value.status == 413


def test_thousands_of_empty_files_are_refused() -> None:
    with pytest.raises(RequestError, match="more than 16 parts"):
        decoded(gzip.compress(b"") * 10_000, "gzip", 1_000_000)


def test_bytes_behind_the_end_are_refused() -> None:
    with pytest.raises(RequestError, match="damaged, or no gzip"):
        decoded(gzip.compress(b"[1]") + b"[2]", "gzip", 100)


def test_an_encoding_that_cannot_be_undone_is_named() -> None:
    check_encoding("")
    check_encoding("gzip")
    with pytest.raises(RequestError, match="'deflate' is not supported; expected gzip or none"):
        check_encoding("deflate")
