import pytest

from serving.core.errors import RequestError
from serving.http.head import parse_head
from serving.http.limits import Limits
from tests.serving.http.harness import get, post


def test_what_a_call_says_is_read() -> None:
    raw = post(
        b"",
        "Accept: text/csv",
        "Accept: */*",
        "X-Request-Id: a-1",
        "X-Request-Deadline-Ms: 250",
        "X-Amzn-SageMaker-Target-Variant: blue",
        "traceparent: 00-ab-cd-01",
    )
    head = parse_head(raw.replace(b"Length: 0", b"Length: 0042"), Limits())
    assert (head.method, head.path, head.query, head.http11) == ("POST", "/invocations", "", True)
    assert (head.length, head.chunked, head.expects, head.keep_alive) == (42, False, False, True)
    assert (head.content_type, head.accept, head.content_encoding) == ("application/json", "text/csv, */*", "")
    assert (head.request_id, head.deadline_ms, head.variant) == ("a-1", 250, "blue")
    assert (head.traceparent, head.direct) == ("00-ab-cd-01", True)


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", "/", ""),
        ("/a?b=c?d", "/a", "b=c?d"),
        ("/a#b", "/a", ""),
        ("/a%20b%2Fc", "/a b/c", ""),
        ("/%ff", "/�", ""),
        ("http://host:80/a?b", "/a", "b"),
        ("http://host", "/", ""),
        ("http://host?q", "/", "q"),
        ("//host/a", "//host/a", ""),
    ],
)
def test_a_target_is_a_path_and_a_query(target: str, path: str, query: str) -> None:
    head = parse_head(get(target), Limits())
    assert (head.path, head.query) == (path, query)


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        ("1.1", "", True),
        ("1.1", "Close", False),
        ("1.1", "keep-alive, close", False),
        ("1.1", "closed", True),
        ("1.0", "", False),
        ("1.0", "Keep-Alive", True),
        ("1.0", "keep-alive, close", False),
    ],
)
def test_whether_a_connection_goes_on(version: str, connection: str, kept: bool) -> None:
    raw = get("/", f"Connection: {connection}").replace(b"HTTP/1.1", f"HTTP/{version}".encode())
    assert parse_head(raw, Limits()).keep_alive is kept


@pytest.mark.parametrize(
    "header",
    ["Transfer-Encoding: chunked", "Expect: 100-continue", "Content-Encoding: gzip", "X-Request-Deadline-Ms: x"],
)
def test_what_needs_more_than_a_look_at_the_body_is_not_direct(header: str) -> None:
    raw = get("/invocations", header, method="POST")
    assert parse_head(raw, Limits()).direct is False


def test_a_request_for_a_page_is_not_direct() -> None:
    assert parse_head(get("/invocations"), Limits()).direct is False
    assert parse_head(post(b"", path="/ping"), Limits()).direct is False


def test_headers_that_do_not_end_where_they_seem_to_are_refused() -> None:
    with pytest.raises(RequestError, match="do not end where they seem to"):
        parse_head(get("/")[:-2], Limits())
