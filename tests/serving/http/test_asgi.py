import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

from serving.core.errors import PredictionError
from serving.core.service import Service
from serving.http.asgi import Application
from serving.observe.metrics import Metrics
from serving.process.lifecycle import Lifecycle

Car = dict[str, object]
Call = Callable[..., httpx.Response]
JSON = {"content-type": "application/json"}


def caller(lifecycle: Lifecycle) -> Call:
    application: Any = Application(lifecycle, Metrics())

    async def ask(method: str, path: str, **options: Any) -> httpx.Response:
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://serving") as client:
            return await client.request(method, path, **options)

    return lambda method, path, **options: asyncio.run(ask(method, path, **options))


@pytest.fixture
def call(service: Service) -> Call:
    lifecycle = Lifecycle()
    lifecycle.ready(service)
    return caller(lifecycle)


def test_ping_is_200_when_the_model_answers(call: Call) -> None:
    assert call("GET", "/ping").status_code == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "/ping"), ("POST", "/invocations"), ("GET", "/")])
def test_without_a_model_the_answer_is_503_with_the_reason(method: str, path: str) -> None:
    lifecycle = Lifecycle()
    answer = caller(lifecycle)(method, path)
    assert (answer.status_code, answer.json()["error"]["message"]) == (503, "the model is loading")
    assert answer.headers["retry-after"] == "1"
    lifecycle.failed("model.onnx was changed")
    assert caller(lifecycle)(method, path).json()["error"]["message"] == "model.onnx was changed"


def test_a_prediction(call: Call, car: Car) -> None:
    answer = call("POST", "/invocations", json=car)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["predictions"] == pytest.approx([35.61], abs=1e-4)


def test_a_prediction_in_csv(call: Call) -> None:
    headers = {"content-type": "text/csv", "accept": "text/csv"}
    answer = call("POST", "/invocations", content="4,97,88,2130,14.5,1971,Japan", headers=headers)
    assert answer.headers["content-type"] == "text/csv"
    assert float(answer.text) == pytest.approx(35.61, abs=1e-4)


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "code"),
    [
        ("GET", "/nowhere", {}, 404, "not_found"),
        ("GET", "/static/../page.py", {}, 404, "not_found"),
        ("GET", "/static/page.html", {}, 404, "not_found"),
        ("GET", "/invocations", {}, 405, "method_not_allowed"),
        ("PUT", "/invocations", {"content": b"{}", "headers": JSON}, 405, "method_not_allowed"),
        ("POST", "/ping", {}, 405, "method_not_allowed"),
        ("POST", "/invocations", {"data": {"weight": "1"}}, 415, "unsupported_content_type"),
        ("POST", "/invocations", {"content": b"[[1]]"}, 415, "unsupported_content_type"),
        ("POST", "/invocations", {"content": b"x", "headers": JSON | {"content-encoding": "gzip"}}, 415, None),
        ("POST", "/invocations", {"content": b"[", "headers": JSON}, 400, "malformed_json"),
        ("POST", "/invocations", {"content": b"", "headers": JSON}, 400, "no_rows"),
        ("POST", "/invocations", {"content": b"[[1]]", "headers": JSON | {"accept": "image/png"}}, 406, None),
        ("POST", "/invocations", {"content": b" " * 1_000_001, "headers": JSON}, 413, "body_too_large"),
        ("POST", "/invocations", {"json": [[1]] * 1001}, 413, "too_many_rows"),
    ],
)
def test_a_caller_at_fault_is_told_so(
    call: Call, method: str, path: str, options: dict[str, Any], status: int, code: str | None
) -> None:
    answer = call(method, path, **options)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert code is None or error["code"] == code
    assert set(error) == {"code", "message", "field", "row"}
    if status == 405:
        assert answer.headers["allow"]


def test_an_error_names_row_and_field(call: Call, car: Car) -> None:
    error = call("POST", "/invocations", json=[car, {**car, "weight": "heavy"}]).json()["error"]
    assert (error["code"], error["row"], error["field"]) == ("wrong_type", 1, "weight")
    assert error["message"].startswith("row 1, field 'weight': expected a whole number from 1000 to 8000 lb, got")


def test_a_body_of_unknown_length_is_cut_at_the_limit(call: Call) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 400:
            sent += 1
            yield b" " * 100_000

    answer = call("POST", "/invocations", content=endless(), headers=JSON)
    assert answer.status_code == 413
    assert "at most 1000000 bytes" in answer.json()["error"]["message"]


def test_our_own_failure_is_a_500_without_innards(
    call: Call, service: Service, car: Car, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(service, "answer", fails)
    answer = call("POST", "/invocations", json=car)
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert "secret" in capsys.readouterr().err


def test_ping_fails_with_the_model(call: Call, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise PredictionError("the model failed on a warm-up row")

    monkeypatch.setattr(service, "warm_up", fails)
    answer = call("GET", "/ping")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_ready")


def test_metrics_count_answers_and_refusals(service: Service, car: Car) -> None:
    lifecycle = Lifecycle()
    lifecycle.ready(service)
    call = caller(lifecycle)
    call("POST", "/invocations", json=[car, car])
    call("POST", "/invocations", json=[])
    text = call("GET", "/metrics").text
    assert 'status="200"} 1\n' in text
    assert 'reason="no_rows"} 1\n' in text


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/static/page.js", "text/javascript; charset=utf-8"),
        ("/static/page.css", "text/css; charset=utf-8"),
        ("/static/icon.svg", "image/svg+xml"),
    ],
)
def test_the_page_comes_with_a_strict_policy(call: Call, path: str, content_type: str) -> None:
    answer = call("GET", path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, content_type)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_any_json_value_anywhere_is_never_a_5xx(call: Call, car: Car) -> None:
    values: list[Any] = [None, True, -1, 0, 1e308, "", "x" * 1000, [], {}, [None], {"rows": []}, -0.0]
    documents = [*values, *([value] for value in values), *({"rows": value} for value in values)]
    documents += [{**car, name: value} for name in car for value in values]
    answers = [call("POST", "/invocations", content=json.dumps(document), headers=JSON) for document in documents]
    assert {answer.status_code for answer in answers} == {200, 400}
