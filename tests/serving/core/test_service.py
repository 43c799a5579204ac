import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import ipc

from serving.core.codec import Encoding
from serving.core.errors import PredictionError, RequestError
from serving.core.job import Answer, Job
from serving.core.service import Service, load_service


def test_the_answer_says_what_it_is(service: Service, car: dict[str, object]) -> None:
    answer = service.answer(json.dumps([car, car]).encode(), "application/json")
    document = json.loads(answer.body)
    assert answer.rows == 2
    assert document["predictions"] == pytest.approx([35.61, 35.61], abs=1e-4)
    assert document["model"] == "auto-mpg"
    assert (document["target"], document["unit"]) == ("mpg", "mi/gal")
    assert document["release"].endswith("drivetrain-local-auto-mpg/3")


def test_csv_in_csv_out(service: Service) -> None:
    answer = service.answer(b"4,97,88,2130,14.5,1971,Japan\n4,97,,2130,14.5,1971,Japan\n", "text/csv", "text/csv")
    assert answer.content_type == "text/csv"
    assert [float(line) for line in answer.body.decode().splitlines()] == pytest.approx([35.61, 35.25], abs=1e-4)


def test_a_model_that_answers_nonsense_is_not_served(
    tmp_path: Path, make_artefact: Callable[..., Path], make_graph: Callable[..., bytes]
) -> None:
    broken = make_graph(np.full(7, np.inf, dtype=np.float32))
    with pytest.raises(PredictionError, match="not a finite number"):
        load_service(make_artefact(tmp_path / "model", broken), None, "")


def test_requests_that_go_through_the_model_together_get_their_own_answers(
    service: Service, car: dict[str, object]
) -> None:
    heavy = {**car, "weight": 3130}
    jobs = [
        service.decode(json.dumps(car).encode(), "application/json"),
        service.decode(json.dumps([heavy, car]).encode(), "application/json; charset=utf-8", "text/csv"),
        service.decode(b"4,97,88,2130,14.5,1971,Japan\n", "text/csv"),
    ]
    assert [job.rows for job in jobs] == [1, 2, 1]
    answered = service.answer_all(jobs)
    first, second, third = answered.answers
    assert isinstance(first, Answer)
    assert isinstance(second, Answer)
    assert isinstance(third, Answer)
    assert json.loads(first.body)["predictions"] == pytest.approx([35.61], abs=1e-4)
    assert [float(line) for line in second.body.decode().splitlines()] == pytest.approx([30.61, 35.61], abs=1e-4)
    assert json.loads(third.body)["predictions"] == pytest.approx([35.61], abs=1e-4)
    assert (second.content_type, second.rows) == ("text/csv", 2)
    assert answered.predictions.tolist() == pytest.approx([35.61, 30.61, 35.61, 35.61], abs=1e-4)


@pytest.fixture
def overflows(tmp_path: Path, make_artefact: Callable[..., Path], make_graph: Callable[..., bytes]) -> Service:
    """A model whose answer is finite up to a displacement of 680 in³ and infinite above."""
    graph = make_graph(np.array([0, 5e35, 0, 0, 0, 0, 0], dtype=np.float32), 0.0)
    return load_service(make_artefact(tmp_path / "model", graph), None, "")


def test_a_request_without_a_finite_answer_does_not_take_the_others_with_it(
    overflows: Service, car: dict[str, object]
) -> None:
    large = {**car, "displacement": 700}
    jobs = [overflows.decode(json.dumps(rows).encode(), "application/json") for rows in (car, [car, large], car)]
    first, second, third = overflows.answer_all(jobs).answers
    assert isinstance(first, Answer)
    assert isinstance(third, Answer)
    assert isinstance(second, RequestError)
    assert (second.status, second.code) == (500, "internal")
    assert "row 1 is not a finite number" in second.message


def test_alone_it_is_raised(overflows: Service, car: dict[str, object]) -> None:
    body = json.dumps({**car, "displacement": 700}).encode()
    with pytest.raises(PredictionError, match="row 0 is not a finite number"):
        overflows.answer(body, "application/json")


def test_an_answer_comes_in_every_form(service: Service, car: dict[str, object]) -> None:
    def ask(accept: str) -> bytes:
        answer = service.answer(json.dumps([car, {**car, "weight": 3130}]).encode(), "application/json", accept)
        assert (answer.content_type, answer.rows) == (accept, 2)
        return answer.body

    expected = np.array(json.loads(ask("application/json"))["predictions"], dtype=np.float32)
    lines = ask("text/csv").decode().splitlines()
    assert np.array([float(line) for line in lines], dtype=np.float32).tolist() == expected.tolist()
    assert np.frombuffer(ask("application/octet-stream"), dtype="<f4").tolist() == expected.tolist()
    assert np.load(io.BytesIO(ask("application/x-npy"))).tolist() == expected.tolist()
    table = ipc.open_stream(ask("application/vnd.apache.arrow.stream")).read_all()
    assert table["prediction"].to_pylist() == expected.tolist()


@settings(deadline=None)
@given(st.lists(st.lists(st.floats(width=32), min_size=1, max_size=4), min_size=1, max_size=5), st.data())
def test_every_request_of_a_batch_gets_its_own_numbers_or_an_error(
    batches: list[list[float]], data: st.DataObject
) -> None:
    kinds = data.draw(st.lists(st.sampled_from(["application/json", "text/csv"]), min_size=5, max_size=5))
    jobs = [Job(len(values), (), kind, b"", "") for values, kind in zip(batches, kinds, strict=False)]
    predictions = np.array([value for values in batches for value in values], dtype=np.float32)
    answers = Encoding({"model": "m"}).answers(jobs, predictions)
    for values, answer in zip(batches, answers, strict=True):
        if isinstance(answer, RequestError):
            assert not np.isfinite(values).all()
            continue
        text = answer.body.decode()
        numbers = json.loads(text)["predictions"] if answer.content_type == "application/json" else text.split()
        assert np.array(numbers, dtype=np.float32).tolist() == values


@settings(deadline=None)
@given(st.data())
def test_a_row_is_answered_alone_as_beside_others(service: Service, data: st.DataObject) -> None:
    columns = service.spec.feature_columns
    numbers = {c.name: st.floats(c.minimum, c.maximum) for c in columns if c.type == "float"}
    wholes = {c.name: st.integers(int(c.minimum or 0), int(c.maximum or 0)) for c in columns if c.type == "integer"}
    words = {c.name: st.sampled_from(c.categories) for c in columns if c.type == "category"}
    rows = data.draw(st.lists(st.fixed_dictionaries(numbers | wholes | words), min_size=2, max_size=8))
    jobs = [service.decode(json.dumps(row).encode(), "application/json") for row in rows]
    together = service.answer_all(jobs).predictions
    alone = [service.answer_all([job]).predictions[0] for job in jobs]
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-4)


def test_a_batch_is_limited_by_its_size_and_not_by_rows(artefact: Path, car: dict[str, object]) -> None:
    body = b"4,97,88,2130,14.5,1971,Japan\n" * 1500
    with pytest.raises(RequestError, match="1500 rows were sent; expected at most 1000"):
        load_service(artefact, None, "").answer(body, "text/csv", "text/csv")
    batch = load_service(artefact, None, "", batch_bytes=2**20)
    assert batch.answer(body, "text/csv", "text/csv").rows == 1500
    assert batch.spec.serving.max_body_bytes == 2**20
    assert batch.answer(json.dumps([car] * 1500).encode(), "application/json").rows == 1500
