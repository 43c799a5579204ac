"""How an endpoint is updated, by what the model asks and the number of instances allows."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.components.deployment import deployment_config
from infra.components.endpoint_variant import instance_range
from models.schema import Scaling
from models.spec import ModelSpec, load_spec


@pytest.fixture
def spec(project_dir: Path) -> ModelSpec:
    return load_spec(project_dir / "models" / "auto_mpg")


def platform(minimum: int) -> Any:
    return SimpleNamespace(
        settings=SimpleNamespace(endpoint=SimpleNamespace(minimum_instances=minimum, mode="instance"))
    )


def served(spec: ModelSpec, **changes: Any) -> ModelSpec:
    return spec.model_copy(update={"serving": spec.serving.model_copy(update=changes)})


def test_the_stack_sets_the_least_number_of_instances(spec: ModelSpec) -> None:
    assert instance_range(spec, platform(1)) == (1, 4)
    assert instance_range(spec, platform(2)) == (2, 4)
    assert instance_range(served(spec, scaling=Scaling(minimum=1, maximum=1)), platform(2)) == (2, 2)


@pytest.mark.parametrize(("minimum", "percent"), [(2, 50), (3, 34), (4, 25), (10, 25)])
def test_a_canary_is_at_least_one_whole_instance(spec: ModelSpec, minimum: int, percent: int) -> None:
    config: Any = deployment_config(spec, platform(minimum), ["alarm"])
    routing = config.blue_green_update_policy.traffic_routing_configuration
    assert routing.type == "CANARY"
    assert routing.canary_size.value == percent
    assert config.rolling_update_policy is None


def test_a_single_instance_is_exchanged_at_once_but_watched(spec: ModelSpec) -> None:
    config: Any = deployment_config(served(spec, deployment="rolling"), platform(1), ["alarm"])
    routing = config.blue_green_update_policy.traffic_routing_configuration
    assert routing.type == "ALL_AT_ONCE"
    assert [each.alarm_name for each in config.auto_rollback_configuration.alarms] == ["alarm"]


def test_a_rolling_update_is_one_when_asked_for(spec: ModelSpec) -> None:
    config: Any = deployment_config(served(spec, deployment="rolling"), platform(2), ["alarm"])
    assert config.blue_green_update_policy is None
    assert config.rolling_update_policy.maximum_batch_size.value == 50
