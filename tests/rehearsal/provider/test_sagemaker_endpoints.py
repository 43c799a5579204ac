"""An endpoint is up when it is InService, on whatever configuration; a failure is an error with AWS's reason."""

from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from rehearsal.provider import sagemaker_endpoints
from rehearsal.provider.sagemaker_endpoints import Endpoint, EndpointNotInServiceError

ARN = "arn:aws:sagemaker:eu-west-1:111111111111:endpoint/e"
DEPLOYMENT = {
    "blueGreenUpdatePolicy": {
        "trafficRoutingConfiguration": {
            "type": "CANARY",
            "waitIntervalInSeconds": 60,
            "canarySize": {"type": "CAPACITY_PERCENT", "value": 50},
        }
    },
    "autoRollbackConfiguration": {"alarms": [{"alarmName": "errors"}]},
}


class FakeSageMaker:
    """Answers DescribeEndpoint with one state after the other, the last one for ever."""

    def __init__(self, *states: dict[str, Any] | None) -> None:
        self.meta = type("Meta", (), {"service_model": botocore.session.get_session().get_service_model("sagemaker")})
        self.states = list(states)
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if state is None:
            error: Any = {"Code": "ValidationException", "Message": f"Could not find endpoint {EndpointName!r}."}
            raise ClientError({"Error": error}, "DescribeEndpoint")
        return {"EndpointName": EndpointName, "EndpointArn": ARN, "EndpointConfigName": "c1", **state}

    def list_tags(self, ResourceArn: str) -> dict[str, Any]:
        return {"Tags": [{"Key": "Model", "Value": "auto-mpg"}]}

    def __getattr__(self, name: str) -> Any:
        return lambda **request: self.calls.append((name, request)) or {}


class Clients:
    account_id, region = "111111111111", "eu-west-1"

    def __init__(self, sagemaker: FakeSageMaker) -> None:
        self.sagemaker = sagemaker

    def client(self, service: str) -> Any:
        assert service == "sagemaker"
        return self.sagemaker


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sagemaker_endpoints, "_POLL_S", 0.001)


INPUTS = {"name": "e", "endpointConfigName": "c1", "tagsAll": {"Model": "auto-mpg"}}


def test_create_waits_until_in_service() -> None:
    client = FakeSageMaker({"EndpointStatus": "Creating"}, {"EndpointStatus": "InService"})
    created = Endpoint().create(Clients(client), INPUTS)
    assert created.id == "e"
    assert created.outputs["arn"] == ARN
    assert created.outputs["tagsAll"] == {"Model": "auto-mpg"}
    tags = [{"Key": "Model", "Value": "auto-mpg"}]
    assert client.calls == [("create_endpoint", {"EndpointName": "e", "EndpointConfigName": "c1", "Tags": tags})]


def test_a_failed_endpoint_is_an_error_with_its_reason() -> None:
    failed = {"EndpointStatus": "Failed", "FailureReason": "the container did not answer /ping"}
    client = FakeSageMaker(failed, None)
    with pytest.raises(EndpointNotInServiceError, match="endpoint e Failed: the container did not answer /ping"):
        Endpoint().create(Clients(client), INPUTS)
    assert [name for name, _ in client.calls] == ["create_endpoint", "delete_endpoint"]


def test_update_carries_the_deployment_and_waits() -> None:
    client = FakeSageMaker({"EndpointStatus": "Updating"}, {"EndpointStatus": "InService", "EndpointConfigName": "c2"})
    news = {**INPUTS, "endpointConfigName": "c2", "deploymentConfig": DEPLOYMENT}
    outputs = Endpoint().update(Clients(client), "e", INPUTS, news)
    ((call, request),) = client.calls
    assert call == "update_endpoint"
    assert request["EndpointConfigName"] == "c2"
    routing = request["DeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert routing["CanarySize"] == {"Type": "CAPACITY_PERCENT", "Value": 50}
    assert outputs["endpointConfigName"] == "c2"
    assert outputs["deploymentConfig"] == DEPLOYMENT


def test_a_silent_rollback_counts_as_done_and_the_outputs_say_what_is_live() -> None:
    client = FakeSageMaker({"EndpointStatus": "Updating"}, {"EndpointStatus": "InService"})
    outputs = Endpoint().update(Clients(client), "e", INPUTS, {**INPUTS, "endpointConfigName": "c2"})
    assert outputs["endpointConfigName"] == "c1"


def test_an_endpoint_that_never_comes_up_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sagemaker_endpoints, "_WAIT_S", 0.01)
    client = FakeSageMaker({"EndpointStatus": "Updating"})
    with pytest.raises(EndpointNotInServiceError, match="still Updating"):
        Endpoint().update(Clients(client), "e", INPUTS, {**INPUTS, "endpointConfigName": "c2"})
    with pytest.raises(EndpointNotInServiceError, match="not deleted after"):
        Endpoint().delete(Clients(client), "e", {})


def test_delete_waits_until_it_is_gone() -> None:
    client = FakeSageMaker({"EndpointStatus": "Deleting"}, None)
    Endpoint().delete(Clients(client), "e", {})
    assert [name for name, _ in client.calls] == ["delete_endpoint"]
    assert Endpoint().read(Clients(client), "e", {}) is None
