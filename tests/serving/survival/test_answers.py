"""Who asks together is answered together, and each gets its own answer: also beside one that the model fails on."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.serving.conftest import PATIENCE
from tests.serving.http.harness import Client, post
from tests.serving.survival.conftest import CAR, PREDICTION, Group
from tests.serving.survival.schedule import requests, send

pytestmark = pytest.mark.slow
_AT_MOST = 6000
"""Pounds above which the models below have no answer."""


def test_hundreds_of_callers_get_each_its_own_answer(start_group: Callable[..., Group], base_dir: Path) -> None:
    """Five hundred different rows from two hundred connections, over two workers: no answer is another caller's."""
    group = start_group(base_dir)
    answered = 0
    # However slow the machine is, it goes on until enough were answered.
    for _ in range(10):
        seen = send(group.port, requests(), connections=200, rate=0, seconds=3)
        assert {(one.status, one.right) for one in seen.heard} <= {(200, True), (503, True)}
        assert seen.lost == 0
        answered += len(seen.seconds(200))
        if answered > 2000:
            break
    assert answered > 2000
    text = httpx.get(f"{group.process.url}/metrics", timeout=PATIENCE).text
    runs, rows = (
        sum(
            float(line.rpartition(" ")[2])
            for line in text.splitlines()
            if line.startswith(f"serving_batch_rows_{what}")
        )
        for what in ("count", "sum")
    )
    assert rows > 1.2 * runs > 0, "they did go through the model together"


def test_pipelined_requests_of_every_type_are_answered_in_their_order(
    start_group: Callable[..., Group], base_dir: Path
) -> None:
    group = start_group(base_dir, SERVING_WORKERS="1")
    sent: list[bytes] = []
    for number in range(400):
        row = CAR | {"weight": 2000 + number}
        values = [*row.values()][:-1]
        as_tensor = np.array([[*values, 2]], dtype="<f4").tobytes()
        bodies = {
            b"application/json": json.dumps(row).encode(),
            b"text/csv": ",".join(map(str, row.values())).encode(),
            b"application/octet-stream": as_tensor,
            b"text/plain": b"no rows",
        }
        kind, body = [*bodies.items()][number % 4]
        sent.append(post(body, f"X-Request-Id: r{number}").replace(b"application/json", kind, 1))
    with Client(group.port) as client:
        for number in range(400):
            if number % 20 == 0:
                # So few may wait however slow the machine is.
                client.send(b"".join(sent[number : number + 20]))
            answer = client.answer()
            assert answer.headers["x-request-id"] == f"r{number}"
            if number % 4 == 3:
                assert (answer.status, answer.error["code"]) == (415, "unsupported_content_type")
            else:
                assert answer.status == 200, answer.body
                expected = PREDICTION + 0.005 * (2130 - 2000 - number)
                assert json.loads(answer.body)["predictions"] == [pytest.approx(expected, abs=1e-3)]


def failing_graph(graph: bytes, how: str) -> bytes:
    """`graph`, which above _AT_MOST pounds answers nothing finite, or fails in ONNX Runtime itself."""
    model = onnx.load_from_string(graph)
    model.graph.node[-1].output[0] = "plain"
    table = np.zeros(_AT_MOST + 1, dtype=np.float32)
    for name, value in {
        "weight_place": np.array(3, dtype=np.int64),
        "table": table,
        "limit": np.array(_AT_MOST, dtype=np.float32),
        "nothing": np.array(0, dtype=np.float32),
    }.items():
        model.graph.initializer.append(numpy_helper.from_array(value, name))
    nodes = [helper.make_node("Gather", ["features", "weight_place"], ["pounds"], axis=1)]
    if how == "fails":
        nodes.append(helper.make_node("Cast", ["pounds"], ["index"], to=TensorProto.INT64))
        nodes.append(helper.make_node("Gather", ["table", "index"], ["addend"]))
    else:
        # Nothing divided by nothing is NaN, and so is what comes of it.
        nodes.append(helper.make_node("LessOrEqual", ["pounds", "limit"], ["fits"]))
        nodes.append(helper.make_node("Cast", ["fits"], ["divisor"], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Div", ["nothing", "divisor"], ["addend"]))
    model.graph.node.extend([*nodes, helper.make_node("Add", ["plain", "addend"], ["prediction"])])
    onnx.checker.check_model(model)
    return model.SerializeToString()


@pytest.fixture(params=["fails", "is not finite"])
def failing(
    request: pytest.FixtureRequest,
    start_group: Callable[..., Group],
    tmp_path: Path,
    make_artefact: Callable[..., Path],
    make_graph: Callable[..., bytes],
) -> Iterator[Group]:
    # The sample row that a server warms up with is one that the model can answer.
    make_artefact(tmp_path / "model", failing_graph(make_graph(), request.param))
    # Whether the machine is slow is not asked here.
    group = start_group(tmp_path, SERVING_WORKERS="1", SERVING_SLOW_MS="600000")
    yield group
    group.process.end()


def test_a_row_that_the_model_fails_on_harms_no_other(failing: Group) -> None:
    """Half of the callers ask what the model cannot answer: they get a 500 without innards, the others are right."""
    before = failing.pids()
    heavy = json.dumps(CAR | {"weight": _AT_MOST + 1000}).encode()
    with failing.load(callers=8) as load, Client(failing.port) as client:
        for _ in range(40):
            client.send(post(heavy) + post(json.dumps(CAR).encode()) + post(json.dumps([CAR, CAR]).encode()))
            answer, one, two = client.answer(), client.answer(), client.answer()
            assert (answer.status, answer.error["code"]) == (500, "internal")
            assert not any(word in answer.body.lower() for word in (b"nan", b"onnx", b"gather", b"traceback", b"/"))
            assert json.loads(one.body)["predictions"] == [pytest.approx(PREDICTION, abs=1e-3)]
            assert json.loads(two.body)["predictions"] == [pytest.approx(PREDICTION, abs=1e-3)] * 2
        load.wait_for(50)
    assert set(load.seen.outcomes) == {"right"}
    assert httpx.get(f"{failing.process.url}/ping", timeout=PATIENCE).status_code == 200
    assert failing.pids() == before
    # Each failure is told to us, once a request, and every line is still one of JSON.
    said = [json.loads(line) for line in failing.process.stderr().splitlines()]
    assert {record["message"].partition(":")[0] for record in said[1:]} <= {
        "request failed",
        "the model failed on 1 rows",
    }
