import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from serving.core.errors import RequestError
from serving.http.head import parse_head
from serving.http.limits import Limits
from serving.http.memory import HeadMemory
from tests.serving.http.harness import get, post


def test_a_head_is_known_again_whatever_its_request_is_called() -> None:
    memory = HeadMemory(Limits())
    for name in ("a", "b", ""):
        lines = [f"X-Request-ID: {name}", f"traceparent: 00-{name}"] if name else []
        raw = post(b"", "Accept: */*", *lines)
        assert memory.read(raw) == parse_head(raw, Limits())
    assert len(memory.known) == 1


def test_a_folded_line_behind_the_name_is_still_refused() -> None:
    memory = HeadMemory(Limits())
    memory.read(post(b"", "X-Request-Id: a"))
    with pytest.raises(RequestError):
        memory.read(post(b"", "X-Request-Id: a\r\n b"))
    with pytest.raises(RequestError):
        memory.read(post(b"", "X-Request-Id: a").replace(b"Host: x", b"Host: x\r\nHost: y"))


def test_what_is_no_call_is_not_remembered() -> None:
    memory = HeadMemory(Limits())
    memory.read(get("/ping"))
    memory.read(post(b"", "Content-Encoding: gzip"))
    memory.read(post(b"", f"Padding: {'x' * 3000}"))
    assert memory.known == {}


LINES = st.sampled_from(
    [
        "X-Request-Id: a1",
        "x-request-id: b",
        "X-Request-Id:c",
        "X-Request-Id: two words",
        "X-Request-Id: ",
        "Traceparent: 00-ab-cd-01",
        "traceparent: x",
        "Accept: text/csv",
        "Connection: close",
        "X-Request-Deadline-Ms: 5",
        "Folded: x\r\n y",
    ]
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(LINES, max_size=5), max_size=6))
@example([["X-Request-Id:c", "X-Request-Id:c"], ["X-Request-Id: a", "X-Request-Id:c", "X-Request-Id:c"]])
def test_memory_makes_no_difference(heads: list[list[str]]) -> None:
    memory = HeadMemory(Limits())
    for lines in heads:
        raw = post(b"", *lines)
        outcomes: list[object] = []
        for read in (memory.read, lambda raw: parse_head(raw, Limits())):
            try:
                outcomes.append(msgspec.structs.asdict(read(raw)))
            except RequestError as error:
                outcomes.append(str(error))
        assert outcomes[0] == outcomes[1]
