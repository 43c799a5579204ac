"""The contract of a serving container: every form of request that is taken, and every refusal with its code.

What serving/ documents, asked of the endpoint that is deployed. A refusal counts among its 4xx: there are fewer of
them in a run than the error-rate alarm needs to see in a minute.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from delivery.acceptance.asking import CSV, JSON, Asker, close
from delivery.acceptance.findings import Check, checked
from delivery.acceptance.released import ReleasedModel
from models.schema import Column
from models.spec import ModelSpec

Row = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Form:
    """A way to send one row."""

    name: str
    body: str
    content_type: str = JSON
    accept: str = JSON


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A request that is refused, with the status and code that say why."""

    name: str
    body: str
    status: int
    code: str
    content_type: str = JSON
    accept: str = JSON
    field: str | None = None


def contract(asker: Asker, model: ReleasedModel) -> list[Check]:
    """Send everything once."""
    row = model.rows[0]
    expected = asker.predict([row]).predictions
    checks = [checked("contract", "a row", ok=len(expected) == 1, said="answered" if expected else "no prediction")]
    for form in forms(model.spec, row):
        reply = asker.ask(form.body, form.content_type, form.accept)
        same = reply.status == 200 and close(reply.predictions, expected)
        typed = reply.content_type.startswith(form.accept.split(",")[0]) or "*" in form.accept
        said = "the same prediction" if same and typed else str(reply)
        checks.append(checked("contract", form.name, ok=same and typed, said=said))
    for refusal in refusals(model.spec, row):
        reply = asker.ask(refusal.body, refusal.content_type, refusal.accept)
        right = (reply.status, reply.error.get("code")) == (refusal.status, refusal.code)
        named = refusal.field is None or reply.error.get("field") == refusal.field
        said = str(reply.error.get("message", "")) if right and named else f"expected {refusal.status} {refusal.code}"
        checks.append(checked("contract", refusal.name, ok=right and named, said=said if right else f"{said}, {reply}"))
    return checks


def forms(spec: ModelSpec, row: Row) -> Iterator[Form]:
    """Every form in which one row is taken and answered."""
    values = [row[name] for name in spec.features]
    yield Form(name="JSON, one object", body=json.dumps(row))
    yield Form(name='JSON, {"rows": [...]}', body=json.dumps({"rows": [row]}))
    yield Form(name='JSON, {"instances": [...]}', body=json.dumps({"instances": [row]}))
    yield Form(name="JSON, values in order", body=json.dumps([values]))
    yield Form(name="CSV, values in order", body=_csv([values]), content_type=CSV)
    yield Form(name="CSV with a header", body=_csv([list(spec.features), values]), content_type=CSV)
    yield Form(name="CSV as the answer", body=json.dumps([row]), accept=CSV)


def refusals(spec: ModelSpec, row: Row) -> Iterator[Refusal]:
    """Every kind of request that is refused, as far as the model's columns allow it to be made."""
    first = spec.features[0]
    yield Refusal(name="no JSON", body="{", status=400, code="malformed_json")
    yield Refusal(name="empty body of rows", body="[]", status=400, code="no_rows")
    yield Refusal(
        name="unknown content type", body="x", status=415, code="unsupported_content_type", content_type="text/x"
    )
    yield Refusal(name="unknown answer type", body=json.dumps(row), status=406, code="not_acceptable", accept="text/x")
    lacking = {name: value for name, value in row.items() if name != first}
    yield Refusal(name="field missing", body=json.dumps(lacking), status=400, code="missing_field", field=first)
    more = json.dumps({**row, "no_such_field": 1})
    yield Refusal(name="field too many", body=more, status=400, code="extra_field", field="no_such_field")
    yield Refusal(
        name="rows too many", body=json.dumps([row] * (spec.serving.max_rows + 1)), status=413, code="too_many_rows"
    )
    for column in _one_of_each(spec):
        yield from _of_column(column, row)


def _one_of_each(spec: ModelSpec) -> Iterator[Column]:
    """The first number with a limit, the first category, and the first column that may not be null."""
    columns = spec.feature_columns
    yield from [column for column in columns if column.is_numeric and column.maximum is not None][:1]
    yield from [column for column in columns if column.type == "category"][:1]


def _of_column(column: Column, row: Row) -> Iterator[Refusal]:
    def refusal(kind: str, value: object, code: str) -> Refusal:
        body = json.dumps({**row, column.name: value})
        return Refusal(name=f"{column.name}: {kind}", body=body, status=400, code=code, field=column.name)

    if column.is_numeric and column.maximum is not None:
        yield refusal("out of range", column.maximum + 1, "out_of_range")
        yield refusal("not finite", float("nan"), "not_finite")
        yield refusal("text", "many", "wrong_type")
    if column.type == "category":
        yield refusal("unknown category", "no such category", "unknown_category")
    if not column.nullable:
        yield refusal("null", None, "null_value")


def _csv(lines: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(["" if cell is None else cell for cell in line] for line in lines)
    return text.getvalue()
