"""A batch of the small artefact's answers, as the engine hands one to the Observer."""

import json
import mmap
from collections.abc import Callable

import pytest

from serving.core.call import Call
from serving.core.job import Answered, Job
from serving.core.service import Service
from serving.observe import shared
from serving.observe.batch import Batch

Rows = list[dict[str, object]]


@pytest.fixture
def memory() -> mmap.mmap:
    """Two slots."""
    return shared.allocate(2)


@pytest.fixture
def answered(service: Service, car: dict[str, object]) -> Callable[..., tuple[list[Job], Answered]]:
    def answer(*requests: Rows) -> tuple[list[Job], Answered]:
        bodies = [json.dumps(rows).encode() for rows in requests or ([car],)]
        jobs = [service.decode(body, "application/json") for body in bodies]
        return jobs, service.answer_all(jobs)

    return answer


@pytest.fixture
def make_batch(service: Service, answered: Callable[..., tuple[list[Job], Answered]]) -> Callable[..., Batch]:
    """A batch of requests with the given rows; `queued` seconds each."""

    def make(*requests: Rows, queued: float = 0.001, calls: list[Call] | None = None) -> Batch:
        jobs, outcome = answered(*requests)
        given = calls or [Call(b"", request_id=f"request-{number}") for number in range(len(jobs))]
        return Batch(service, "", jobs, outcome, [queued] * len(jobs), 0.0001, given)

    return make
