import re

import pytest

from serving.core.service import Service
from serving.page import docs, openapi


@pytest.fixture(scope="module")
def html(service: Service) -> str:
    return docs.render(service).decode()


def test_every_operation_and_every_schema_has_its_place(html: str, service: Service) -> None:
    document = openapi.document(service)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert f'id="operation-{operation["operationId"]}"' in html
            assert f"<code>{path}</code>" in html
    for name in document["components"]["schemas"]:
        assert f'id="schema-{name}"' in html


def test_every_link_leads_somewhere(html: str) -> None:
    ids = re.findall(r' id="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"', html)) <= set(ids)


def test_fields_are_shown_with_range_and_unit(html: str) -> None:
    assert "integer from 1000 to 8000 lb" in html
    assert "number or null from 20 to 500 hp" in html
    assert "one of <code>USA</code>, <code>Europe</code>, <code>Japan</code>" in html


def test_limits_have_every_digit(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = tuple(
        column.model_copy(update={"maximum": 1234567.0}) if column.name == "weight" else column
        for column in service.spec.columns
    )
    monkeypatch.setattr(service, "spec", service.spec.model_copy(update={"columns": columns}))
    assert "integer from 1000 to 1234567 lb" in docs.render(service).decode()


def test_what_a_model_calls_itself_is_escaped(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    title = "<script>alert(1)</script>"
    spec = service.spec.model_copy(update={"title": title, "description": title})
    monkeypatch.setattr(service, "spec", spec)
    assert "<script>alert" not in docs.render(service).decode()


def test_nothing_is_inline(html: str) -> None:
    assert "style=" not in html
    assert "<script" not in html
