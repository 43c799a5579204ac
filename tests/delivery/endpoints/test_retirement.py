"""Only what is ours, in no state and behind no endpoint is removed."""

import pytest

from delivery.endpoints.retirement import retire
from infra.names import Names
from tests.delivery.live_sagemaker import ENDPOINT, SageMaker, name, state_of

NAMES = Names(project="drivetrain", stack="production", account_id="444444444444", region="eu-west-1")


@pytest.fixture
def sagemaker() -> SageMaker:
    held = SageMaker()
    for suffix in ("1", "2", "3"):
        held.add(suffix)
    return held


def test_what_no_endpoint_uses_any_more_is_removed(sagemaker: SageMaker) -> None:
    sagemaker.serve("3")
    retired = retire(sagemaker, NAMES, state_of("3"))
    assert (set(retired.configurations), set(retired.models)) == ({name("1"), name("2")},) * 2
    assert set(sagemaker.configurations) == set(sagemaker.models) == {name("3")}


def test_what_is_live_after_a_rollback_is_kept_beside_what_the_state_holds(sagemaker: SageMaker) -> None:
    sagemaker.serve("1")
    retire(sagemaker, NAMES, state_of("2"))
    assert set(sagemaker.configurations) == set(sagemaker.models) == {name("1"), name("2")}


def test_what_an_endpoint_is_being_changed_to_is_kept(sagemaker: SageMaker) -> None:
    sagemaker.serve("1", EndpointStatus="Updating", PendingDeploymentSummary={"EndpointConfigName": name("3")})
    retire(sagemaker, NAMES, {"deployment": {"resources": []}})
    assert set(sagemaker.configurations) == set(sagemaker.models) == {name("1"), name("3")}


def test_what_is_not_ours_is_left_alone(sagemaker: SageMaker) -> None:
    sagemaker.tags[f"config:{name('1')}"] = [{"Key": "stack", "Value": "production-pr-1"}]
    sagemaker.tags[f"model:{name('2')}"] = []
    sagemaker.models[f"{ENDPOINT}-by-hand"] = sagemaker.models[name("3")]
    retired = retire(sagemaker, NAMES, {"deployment": {"resources": []}})
    assert set(retired.configurations) == {name("2"), name("3")}
    assert set(sagemaker.models) == {name("2"), f"{ENDPOINT}-by-hand"}


def test_a_stack_of_one_model_leaves_the_others_alone(sagemaker: SageMaker) -> None:
    retired = retire(sagemaker, NAMES, {"deployment": {"resources": []}}, only=["drivetrain-production-bikes"])
    assert (retired.configurations, retired.models) == ((), ())
