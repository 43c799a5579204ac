import json
from collections import deque
from collections.abc import Callable

import pytest

from serving.core.engine import Engine
from serving.core.errors import RequestError
from serving.core.service import Service
from serving.http.routes import Response, Site, SiteContext, build_site, refusal


class Metrics:
    def __init__(self, *loading: int) -> None:
        self._loading = list(loading)

    def loading(self) -> list[int]:
        return self._loading

    def exposition(self, accept: str = "") -> tuple[str, bytes]:
        return f"text/plain; of={accept}", b"serving_requests_total 1\n"

    def input_counts(self, service: Service, /) -> dict[str, list[int]]:
        return {}


@pytest.fixture
def engine() -> Engine:
    return Engine(deque[Callable[[], None]]().append)


def ask(site: Site, path: str, *, accept: str = "", if_none_match: str = "") -> Response:
    site.check("GET", path)
    context = SiteContext(engine=site.engine, method="GET", path=path, accept=accept, if_none_match=if_none_match)
    return site.answer(context)


def test_ping_is_the_truth(engine: Engine, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    site = build_site(engine)
    loading = ask(site, "/ping")
    assert (loading.status, loading.headers["retry-after"]) == (503, "1")
    assert b"the model is loading" in loading.body
    engine.replace(service)
    assert (ask(site, "/ping").status, ask(site, "/ping").body) == (200, b'{"status":"ready"}')

    def fails() -> None:
        raise RuntimeError("the model broke")

    monkeypatch.setattr(service, "warm_up", fails)
    assert ask(site, "/ping").status == 503


def test_nobody_is_ready_before_the_whole_group_is(engine: Engine, service: Service) -> None:
    engine.replace(service)
    answer = ask(build_site(engine, Metrics(1)), "/ping")
    assert answer.status == 503
    assert b"worker 1 is still loading its model" in answer.body
    assert ask(build_site(engine, Metrics()), "/ping").status == 200


def test_metrics_are_there_where_there_is_an_observer(engine: Engine) -> None:
    answer = ask(build_site(engine, Metrics()), "/metrics", accept="openmetrics")
    assert (answer.body, answer.content_type) == (b"serving_requests_total 1\n", "text/plain; of=openmetrics")
    with pytest.raises(RequestError, match="no such path '/metrics'"):
        build_site(engine).check("GET", "/metrics")


def test_pages_need_no_model_to_say_that_there_is_none(engine: Engine, service: Service) -> None:
    site = build_site(engine)
    assert ask(site, "/").status == 503
    engine.replace(service)
    page = ask(site, "/")
    assert (page.status, page.content_type) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert ask(site, "/", if_none_match=page.headers["etag"]).status == 304


def test_a_path_that_is_missing_names_those_there_are_but_no_files(engine: Engine) -> None:
    with pytest.raises(RequestError) as refused:
        build_site(engine).check("GET", "/nowhere")
    assert refused.value.status == 404
    assert "/invocations, /ping" in str(refused.value)
    assert "static" not in str(refused.value)


def test_a_path_added_again_is_replaced(engine: Engine) -> None:
    site = Site(engine)
    site.add("/a", lambda _: Response(body=b"1"))
    site.add("/a", lambda _: Response(body=b"2"), ("GET",))
    assert ask(site, "/a").body == b"2"
    assert site.allowed("/a") == "GET"
    assert site.paths == ("/invocations", "/a")


def test_a_refusal_can_be_told_whatever_it_quotes() -> None:
    answer = refusal(RequestError("extra_field", "no \ud800", row=1, field="\udfff\u2603"))
    error = json.loads(answer.body)["error"]
    assert (error["field"], error["row"]) == ("?\u2603", 1)
    assert error["message"].endswith(": no ?")


def test_a_refusal_says_what_the_caller_may_do() -> None:
    answer = refusal(RequestError("overloaded", "too much", status=503, retry_after=2), allow="POST")
    assert answer.headers == {"retry-after": "2", "allow": "POST"}
    assert answer.body == b'{"error":{"code":"overloaded","message":"too much","field":null,"row":null}}'
