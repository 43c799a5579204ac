"""`/openapi.json`: the OpenAPI 3.1 document of one model's server, made from the specification.

https://spec.openapis.org/oas/v3.1.0 . Media types come from the codec's own table, so that a new one is in the document
at once.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from models.spec import ModelSpec
from monitoring.baseline import Value
from serving.core import codec
from serving.core.service import Service
from serving.page import media
from serving.page.refusals import ELSEWHERE, REFUSALS
from serving.page.schemas import reference, schemas

VERSION: Final = "3.1.0"
Document = dict[str, Any]


def render(service: Service) -> bytes:
    """The document as UTF-8 JSON."""
    return json.dumps(document(service), ensure_ascii=False, indent=1).encode()


def document(service: Service) -> Document:
    """The document of the model that `service` answers with."""
    spec = service.spec
    examples = sample_rows(service)
    return {
        "openapi": VERSION,
        "info": {
            "title": spec.title,
            "version": service.release.rsplit("/", 1)[-1] or "none",
            "summary": f"Predicts {_with_unit(spec)} of the model {spec.name}.",
            "description": spec.description or spec.title,
        },
        "servers": [{"url": ".", "description": "The server that this document came from."}],
        "tags": [
            {"name": "predictions", "description": "Ask the model."},
            {"name": "operations", "description": "Run the server."},
            {"name": "pages", "description": "For people."},
        ],
        "paths": {
            "/invocations": {"post": _invocations(spec, examples)},
            "/ping": {"get": _ping()},
            "/metrics": {"get": _text("metrics", "operations", "Counters for Prometheus", "text/plain")},
            "/status": {"get": _status()},
            "/openapi.json": {"get": _described()},
            "/docs": {"get": _text("docs", "pages", "This document, to be read", "text/html")},
            "/": {"get": _text("page", "pages", "A page to try the model", "text/html")},
        },
        "components": {"schemas": schemas(spec, examples)},
    }


def sample_rows(service: Service) -> list[dict[str, Value]]:
    """Rows of the training data without their target, to begin with; none for a model of images."""
    features = service.spec.features
    if service.spec.image:
        return []
    return [{name: row.get(name) for name in features} for row in service.artefact.baseline.sample]


def _with_unit(spec: ModelSpec) -> str:
    unit = spec.target_column.unit
    return f"{spec.target} ({unit})" if unit else spec.target


_HEADERS: Final = (
    "Headers that a caller may send: `Content-Encoding: gzip`; `X-Request-Id`, which comes back with the answer and is "
    "made up where none was sent; `X-Request-Deadline-Ms`, whole milliseconds from 1 to 3,600,000 by which the model's "
    "run on these rows must have begun: it is 504 when it has not, and 503 at once when more waits than can be done by "
    "then. A run that has begun is answered, however long it takes; "
    "`X-Amzn-SageMaker-Target-Variant`, the variant that is to answer; `traceparent`, the context of a trace."
)


def _invocations(spec: ModelSpec, examples: list[dict[str, Value]]) -> Document:
    return {
        "operationId": "predict",
        "tags": ["predictions"],
        "summary": f"Predict {_with_unit(spec)}",
        "description": (
            f"One prediction a row, for 1 to {spec.serving.max_rows} rows and at most "
            f"{spec.serving.max_body_bytes:,} bytes a request. A refusal is always JSON, whatever `Accept` says. "
            f"{_HEADERS}"
        ),
        "requestBody": {
            "description": "\n".join(f"- `{kind}`: {text}" for kind, text in media.described(spec).items()),
            "required": True,
            "content": media.requests(spec, examples),
        },
        "responses": {
            "200": {"description": "The predictions, in the order of the rows.", "content": media.answers(spec)},
            **{str(status): _refusal(status, *meaning) for status, meaning in REFUSALS.items()},
        },
    }


def _refusal(status: int, description: str, codes: tuple[str, ...]) -> Document:
    """A response whose `error.code` is one of `codes`."""
    code = {"properties": {"error": {"properties": {"code": {"enum": list(codes)}}}}}
    example = {"error": {"code": codes[0], "message": description, "field": None, "row": None}}
    response: Document = {
        "description": description,
        "content": {codec.JSON: {"schema": {"allOf": [reference("Error"), code]}, "example": example}},
    }
    if status == 503:
        seconds = {"type": "integer", "minimum": 0}
        response["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": seconds}}
    return response


def _ping() -> Document:
    ready = {"description": "A model answers.", "content": {codec.JSON: {"schema": reference("Ready")}}}
    return {
        "operationId": "ping",
        "tags": ["operations"],
        "summary": "Whether a model is ready to answer",
        "responses": {"200": ready, "503": _refusal(503, *REFUSALS[503])},
    }


def _status() -> Document:
    answer = {"description": "What the page shows.", "content": {codec.JSON: {"schema": {"type": "object"}}}}
    return {
        "operationId": "status",
        "tags": ["operations"],
        "summary": "Model, release, and how far inputs have drifted",
        "responses": {"200": answer, "503": _refusal(503, *REFUSALS[503])},
    }


def _described() -> Document:
    answer = {"description": "OpenAPI 3.1.", "content": {codec.JSON: {"schema": {"type": "object"}}}}
    return {
        "operationId": "openapi",
        "tags": ["operations"],
        "summary": "This document",
        "responses": {"200": answer, "503": _refusal(503, *REFUSALS[503])},
    }


def _text(name: str, tag: str, summary: str, media_type: str) -> Document:
    answer = {"description": summary, "content": {media_type: {"schema": {"type": "string"}}}}
    return {
        "operationId": name,
        "tags": [tag],
        "summary": summary,
        "responses": {"200": answer, "503": _refusal(503, *REFUSALS[503])},
    }


def elsewhere() -> Mapping[int, tuple[str, str]]:
    """Refusals that belong to no operation: other paths, other methods."""
    return ELSEWHERE
