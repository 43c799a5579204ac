"""Every handler against a real moto server: what goes in comes back, changes, and goes away."""

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from cases import CASES, Case

from rehearsal.provider.aws_clients import EnvironmentClients
from rehearsal.provider.registry import handlers
from rehearsal.provider.service import ServiceHandler


def handler_of(token: str) -> ServiceHandler:
    handler = handlers()[token]
    assert isinstance(handler, ServiceHandler)
    return handler


def make(aws: EnvironmentClients, token: str, case: Case) -> tuple[ServiceHandler, list[Any], str]:
    made: list[Any] = []
    for need in case.needs:
        made += make(aws, need, CASES[need])[1]
    handler = handler_of(token)
    created = handler.create(aws, case.inputs)
    made.append((handler, created.id, created.outputs))
    return handler, made, created.id


def unmake(aws: EnvironmentClients, made: list[Any]) -> None:
    for handler, resource_id, state in reversed(made):
        handler.delete(aws, resource_id, state)


def held(given: Any, answered: Any, path: str) -> list[str]:
    """Where `answered` lacks something of `given`."""
    if isinstance(given, dict) and isinstance(answered, dict):
        return [line for key, value in given.items() for line in held(value, answered.get(key), f"{path}.{key}")]
    if isinstance(given, list) and isinstance(answered, list) and len(given) == len(answered):
        pairs = zip(given, answered, strict=True)
        return [line for index, (a, b) in enumerate(pairs) for line in held(a, b, f"{path}[{index}]")]
    return [] if given == answered else [f"{path}: given {given!r}, read back {answered!r}"]


@pytest.mark.parametrize("token", sorted(CASES))
def test_what_goes_in_is_read_back_changes_and_goes_away(aws: EnvironmentClients, token: str) -> None:
    case = CASES[token]
    handler, made, resource_id = make(aws, token, case)
    try:
        # what identifies a resource is all that a read may take from the state; the rest is AWS's answer
        kept = handler.local | handler.dropped | {"rule", "targetId", "resourceId", "scalableDimension"}
        kept |= {"serviceNamespace", "tags", *(handler.replace_on if "lakeformation/perm" in token else ())}
        read = handler.read(aws, resource_id, {name: case.inputs[name] for name in kept if name in case.inputs})
        assert read is not None
        assert held(case.inputs, read, "") == []
        assert handler.read(aws, resource_id, {**case.inputs, **read}) == read  # or each refresh would show a drift
        if case.update:
            news = {**case.inputs, **case.update}
            assert not set(case.update) & handler.replace_on
            assert held(news, handler.update(aws, resource_id, case.inputs, news), "") == []
    finally:
        unmake(aws, made)
    if handler.token != "aws:lakeformation/dataLakeSettings:DataLakeSettings" and "DataCatalogEnc" not in token:
        assert handler.read(aws, resource_id, {**case.inputs, **read}) is None
    handler.delete(aws, resource_id, {**case.inputs, **read})


def test_every_handler_has_a_case() -> None:
    mine = {"glue", "athena", "lakeformation", "ecr", "sfn", "events", "logs", "cloudwatch", "sagemaker"}
    mine |= {"sagemaker_endpoints", "appautoscaling", "budgets"}
    served = {token for token, handler in handlers().items() if type(handler).__module__.split(".")[-1] in mine}
    assert served - set(CASES) == {"aws:sagemaker/endpoint:Endpoint"}
