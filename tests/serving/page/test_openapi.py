import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import openapi_spec_validator
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from models.schema import Column
from models.spec import ModelSpec
from serving.core import codec
from serving.core.batching import Lane, Limits
from serving.core.errors import RequestError
from serving.core.overload import FULL, LATE, refusal
from serving.core.service import Service
from serving.http.head import DEADLINE_MOST_MS
from serving.page import openapi
from serving.page.refusals import ELSEWHERE, REFUSALS
from serving.page.schemas import field, wrappers

SERVING = Path(openapi.__file__).parents[1]
Car = dict[str, object]


@pytest.fixture(scope="module")
def document(service: Service) -> dict[str, Any]:
    return json.loads(openapi.render(service))


@pytest.fixture(scope="module")
def body(document: dict[str, Any]) -> Draft202012Validator:
    """Judges a JSON body by the schema of the document."""
    registry: Any = Registry().with_resource("doc", Resource.from_contents(document, DRAFT202012))
    pointer = "doc#/paths/~1invocations/post/requestBody/content/application~1json/schema"
    return Draft202012Validator({"$ref": pointer}, registry=registry)


def test_the_document_is_valid_openapi(document: dict[str, Any], service: Service) -> None:
    openapi_spec_validator.validate(document)
    assert document["openapi"] == "3.1.0"
    operation = document["paths"]["/invocations"]["post"]
    assert tuple(operation["requestBody"]["content"]) == codec.request_types(service.spec)
    assert tuple(operation["responses"]["200"]["content"]) == codec.ANSWERS


def test_fields_have_their_limits_units_and_categories(document: dict[str, Any]) -> None:
    fields = document["components"]["schemas"]["Row"]["properties"]
    assert (fields["weight"]["type"], fields["weight"]["minimum"], fields["weight"]["maximum"]) == (
        "integer",
        1000,
        8000,
    )
    assert fields["weight"]["x-unit"] == "lb"
    assert fields["horsepower"]["type"] == ["number", "null"]
    assert fields["origin"]["enum"] == ["USA", "Europe", "Japan"]


def test_a_category_that_may_be_missing_takes_null() -> None:
    column = Column(name="x", type="category", categories=("a",), nullable=True)
    assert field(column)["enum"] == ["a", None]


def test_a_model_with_a_field_called_rows_gives_up_that_wrapper(spec: ModelSpec) -> None:
    assert list(wrappers(spec.model_copy(update={"features": ("rows",)}))) == ["instances"]


def test_examples_are_answered(service: Service, document: dict[str, Any], body: Draft202012Validator) -> None:
    content = document["paths"]["/invocations"]["post"]["requestBody"]["content"]
    for example in content["application/json"]["examples"].values():
        body.validate(example["value"])
        assert service.answer(json.dumps(example["value"]).encode(), codec.JSON).rows >= 1
    for example in content["text/csv"]["examples"].values():
        assert service.answer(example["value"].encode(), codec.CSV).rows == 2


def test_an_answer_and_an_error_are_as_described(service: Service, document: dict[str, Any], car: Car) -> None:
    registry: Any = Registry().with_resource("doc", Resource.from_contents(document, DRAFT202012))
    predictions = Draft202012Validator({"$ref": "doc#/components/schemas/Predictions"}, registry=registry)
    for one in (service, Service(service.artefact, service.release, variant="challenger")):
        answer = json.loads(one.answer(json.dumps(car).encode(), codec.JSON).body)
        assert list(predictions.iter_errors(answer)) == []
    error = json.loads(codec.encode_error(RequestError("wrong_type", "no", row=0, field="weight")))
    described = Draft202012Validator({"$ref": "doc#/components/schemas/Error"}, registry=registry)
    assert list(described.iter_errors(error)) == []


VALUES: tuple[Any, ...] = (None, True, 4, 4.0, 4.5, -1, 0, 1e39, "4", "", "Japan", [], {})


def bodies(car: Car) -> Iterator[Any]:
    """Bodies that are right, nearly right and wrong."""
    order = list(car.values())
    yield from VALUES
    for one in (car, order, {**car, "colour": 1}, {"weight": 1}, order[:-1], [*order, 1]):
        yield from (one, [one], [one, one], {"rows": one}, {"rows": [one]}, {"instances": [one], "rows": [one]})
    yield from ([car, order], [], {"rows": []}, [[]], [[order]], [None], {}, [{}])
    yield from ({**car, name: value} for name in car for value in VALUES)
    yield from ([[*order[:i], value, *order[i + 1 :]]] for i in range(len(order)) for value in VALUES)


def test_the_schema_takes_what_the_server_takes_and_nothing_else(
    service: Service, body: Draft202012Validator, car: Car
) -> None:
    for sent in bodies(car):
        try:
            answered = service.answer(json.dumps(sent).encode(), codec.JSON).rows > 0
        except RequestError:
            answered = False
        assert body.is_valid(sent) is answered, sent


def raised() -> set[tuple[int, str]]:
    """Status and code of every `RequestError(…)` in serving/, as far as they are written out."""
    texts = [source.read_text(encoding="utf-8") for source in SERVING.rglob("*.py")]
    trees = [ast.parse(text) for text in texts if "RequestError(" in text]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {found for call in calls if getattr(call.func, "id", "") == "RequestError" for found in _written(call)}


def _written(call: ast.Call) -> Iterator[tuple[int, str]]:
    given: dict[str | None, ast.expr] = {keyword.arg: keyword.value for keyword in call.keywords}
    status, code = given.get("status", ast.Constant(400)), call.args[0] if call.args else None
    if isinstance(status, ast.Constant) and isinstance(code, ast.Constant):
        yield int(str(status.value)), str(code.value)


def test_every_refusal_that_can_be_raised_is_documented() -> None:
    documented = {(status, code) for status, (_, codes) in REFUSALS.items() for code in codes}
    documented |= {(status, code) for status, (_, code) in ELSEWHERE.items()}
    assert len(raised()) > 10
    assert raised() - documented == set()


def test_what_is_said_of_the_deadline_is_so(document: dict[str, Any]) -> None:
    """As the engine has it: the time for a run to begin, after which 504, and at once 503 where that cannot be."""
    said = document["paths"]["/invocations"]["post"]["description"]
    assert f"milliseconds from 1 to {DEADLINE_MOST_MS:,} by which the model's run on these rows must have begun" in said
    lane = Lane("", cast("Any", None), 1.0)
    assert refusal(lane, Limits(), deadline=5.0, now=5.1, reading=0.0) is LATE
    lane.rows = lane.jobs = 10
    refused = refusal(lane, Limits(), deadline=5.0, now=4.9, reading=0.0)
    assert (refused, LATE.status, FULL.status) == (FULL, 504, 503)
    assert f"it is {LATE.status} when it has not, and {FULL.status} at once" in said
    assert "A run that has begun is answered" in said


def test_what_is_said_of_tensors_is_so(service: Service, document: dict[str, Any], car: Car) -> None:
    said = document["paths"]["/invocations"]["post"]["requestBody"]["description"]
    assert "a category is its position in the list of them, from 0, and NaN is null" in said
    named = json.loads(service.answer(json.dumps({**car, "horsepower": None}).encode(), codec.JSON).body)
    row = np.array([[4, 97, np.nan, 2130, 14.5, 1971, 2]], dtype="<f4")
    answer = service.answer(row.tobytes(), "application/octet-stream", "application/json")
    assert json.loads(answer.body)["predictions"] == pytest.approx(named["predictions"])
