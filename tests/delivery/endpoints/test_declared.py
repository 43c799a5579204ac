"""What a state says of its endpoints: exported or as a file, and clearly refused when it is something else."""

import pytest

from delivery.endpoints.declared import StateError, declared_endpoints, resources
from tests.delivery.live_sagemaker import ENDPOINT, name, state_of


def test_the_configuration_is_the_states_own_even_after_a_refresh_wrote_what_is_live() -> None:
    state = state_of("2")
    state["deployment"]["resources"][-1]["inputs"]["endpointConfigName"] = name("1")
    assert declared_endpoints(state, [ENDPOINT])[ENDPOINT].configuration == name("2")


def test_a_configuration_that_waits_for_its_deletion_declares_nothing() -> None:
    state = state_of("2")
    old = {**state_of("1")["deployment"]["resources"][2], "delete": True}
    state["deployment"]["resources"].append(old)
    assert declared_endpoints(state, [ENDPOINT])[ENDPOINT].configuration == name("2")


def test_a_checkpoint_file_is_read_like_an_export() -> None:
    checkpoint = {"version": 3, "checkpoint": {"latest": state_of("1")["deployment"]}}
    assert declared_endpoints(checkpoint, [ENDPOINT]) == declared_endpoints(state_of("1"), [ENDPOINT])
    assert resources({"checkpoint": {"latest": None}}) == []


def test_what_is_no_state_is_refused() -> None:
    with pytest.raises(StateError, match="holds no resources"):
        resources({"deployment": {"resources": "none"}})
    state = state_of("1")
    del state["deployment"]["resources"][2]
    with pytest.raises(StateError, match="without its configuration; deploy again"):
        declared_endpoints(state, [ENDPOINT])
