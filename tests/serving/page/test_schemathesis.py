"""schemathesis against a real server, by the document that it serves: right and wrong requests, made from the schemas.

Nothing may be answered with a 5xx, with a status that is not documented or with a body that is not as documented; what
fits the schemas has to be taken, and what does not has to be refused.
"""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.engine import events, from_schema

from models.spec import ModelSpec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

EXAMPLES = 1000
Rows = list[tuple[float, ...]]


def rows(spec: ModelSpec) -> st.SearchStrategy[Rows]:
    """Rows as numbers in the order of the features, categories by their position."""
    columns: list[st.SearchStrategy[float]] = []
    for column in spec.feature_columns:
        low, high = column.minimum or 0, column.maximum or len(column.categories) - 1
        whole = column.type != "float"
        columns.append(st.integers(int(low), int(high)) if whole else st.floats(low, high, width=32))
    return st.lists(st.tuples(*columns), min_size=1, max_size=20)


def as_csv(spec: ModelSpec, found: Rows) -> bytes:
    categories = spec.column("origin").categories
    return "".join(f"{','.join(map(str, row[:-1]))},{categories[int(row[-1])]}\n" for row in found).encode()


def as_tensor(found: Rows) -> bytes:
    return b"".join(struct.pack(f"<{len(row)}f", *row) for row in found)


@pytest.fixture(scope="module")
def api(start_server: Callable[..., Any], base_dir: Path, spec: ModelSpec) -> Any:
    """The document of a running server; bodies that no JSON schema describes come from strategies of our own."""
    # JSON arrays of numbers are no body of these types, so nothing but these strategies would be accepted.
    schemathesis.openapi.media_type("text/csv", rows(spec).map(lambda found: as_csv(spec, found)))
    schemathesis.openapi.media_type("application/octet-stream", rows(spec).map(as_tensor))
    server = start_server(base_dir, RELEASE="group/3")
    server.wait_until_ready()
    generation = GenerationConfig(max_examples=EXAMPLES, deterministic=True, database="none")
    projects = ProjectsConfig(
        default=ProjectConfig(generation=generation, continue_on_failure=True, request_timeout=60)
    )
    # Without a limit of time, which would be used up to the end: what is asked depends on no machine's speed.
    config = SchemathesisConfig(seed=5, projects=projects)
    return schemathesis.openapi.from_url(f"{server.url}/openapi.json", config=config)


def failures(event: events.ScenarioFinished) -> Iterator[str]:
    """What a scenario found, a line each."""
    for case, checks in event.recorder.checks.items():
        interaction = event.recorder.interactions.get(case)
        for check in checks:
            if check.failure_info is None:
                continue
            failure = check.failure_info.failure
            if interaction is None or interaction.response is None:
                yield f"{check.name}: {failure.title}: no answer"
                continue
            request, response = interaction.request, interaction.response
            # For schemathesis, 413 (too many rows) is no refusal of a wrong request; for us every 4xx is.
            if check.name != "negative_data_rejection" or not 400 <= response.status_code < 500:
                kind, answer = dict(request.headers).get("Content-Type"), response.content[:300]
                sent = f"{request.method} {request.uri} {kind} {request.body!r}"
                yield f"{check.name}: {failure.title}: {sent}: {response.status_code} {answer!r}"


def test_the_server_keeps_to_its_document(api: Any) -> None:
    found: list[str] = []
    labels: set[str | None] = set()
    cases = 0
    for event in from_schema(api).execute():
        assert not isinstance(event, events.FatalError), event
        if isinstance(event, events.ScenarioFinished):
            found += failures(event)
            labels.add(event.label)
            cases += len(event.recorder.cases)
    assert found == []
    assert cases > EXAMPLES
    assert {"POST /invocations", "GET /ping", "GET /metrics", "GET /openapi.json"} <= labels
