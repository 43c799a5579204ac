"""SageMaker endpoint configurations and endpoints.

Create and update wait until the endpoint is InService, whatever it then serves. So does the real provider: an update
that an alarm rolled back is InService on its old configuration, and counts as done
(hashicorp/terraform-provider-aws, internal/service/sagemaker/endpoint.go, waitEndpointInService). The outputs are read
back and say so; whoever deploys has to look (`drivetrain verify`).
"""

import time
from typing import Any

from rehearsal.provider.handler import AutoName, AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.lifecycle import AwsRefusedError
from rehearsal.provider.service import ServiceHandler, changed
from rehearsal.provider.shapes import Spelling
from rehearsal.provider.tagging import SAGEMAKER

_POLL_S = 0.2
_WAIT_S = 600.0
_MOVING = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})


class EndpointConfiguration(ServiceHandler):
    """How an endpoint runs its models; nothing but its tags can be changed."""

    token = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
    service = "sagemaker"
    autoname = AutoName(name_property="name", max_length=63)
    replace_on = frozenset(
        {
            *("name", "namePrefix", "productionVariants", "shadowProductionVariants", "kmsKeyArn"),
            *("dataCaptureConfig", "asyncInferenceConfig", "executionRoleArn", "region"),
        }
    )
    taggable = True
    tag_calls = SAGEMAKER
    spelling = Spelling(
        names={
            "name": "EndpointConfigName",
            "arn": "EndpointConfigArn",
            "routingConfigs": "RoutingConfig",
            "includeInferenceResponseIns": "IncludeInferenceResponseIn",
        },
        single=frozenset({"routingConfigs"}),
    )
    not_shown = "instance types and counts buy no capacity; data capture is kept and read back, nothing is captured."

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        request = self.params(aws, "CreateEndpointConfig", inputs, without={"arn", "kmsKeyArn"})
        for kind in ("ProductionVariants", "ShadowProductionVariants"):
            for index, variant in enumerate(request.get(kind, [])):
                variant.setdefault("VariantName", f"variant-{index + 1}")
                variant.setdefault("InitialVariantWeight", 1.0)
        if key := inputs.get("kmsKeyArn"):
            request["KmsKeyId"] = key
        self.send(aws, "CreateEndpointConfig", {**request, **self.tagged(inputs)})
        return self.created(aws, inputs["name"], inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "DescribeEndpointConfig", {"EndpointConfigName": resource_id})
        if answer is None:
            return None
        outputs = self.answered(aws, "DescribeEndpointConfig", answer)
        outputs["kmsKeyArn"] = outputs.pop("kmsKeyId", None)
        outputs.pop("creationTime", None)
        return self.outputs(aws, state, outputs, arn=outputs["arn"])

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        self.retag(aws, olds, news, self.present(aws, resource_id, news)["arn"])
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteEndpointConfig", {"EndpointConfigName": resource_id})


class Endpoint(ServiceHandler):
    """An endpoint; a new configuration reaches it by UpdateEndpoint, without a gap in service."""

    token = "aws:sagemaker/endpoint:Endpoint"
    service = "sagemaker"
    autoname = AutoName(name_property="name", max_length=63)
    replace_on = frozenset({"name", "region"})
    taggable = True
    tag_calls = SAGEMAKER
    spelling = Spelling(names={"name": "EndpointName", "arn": "EndpointArn"})
    not_shown = (
        "one process stands for all instances; baking and waiting pass 60 times as fast; on AWS a change of "
        "deploymentConfig.autoRollbackConfiguration alone replaces the endpoint, here it is updated."
    )

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        request = self.params(aws, "CreateEndpoint", inputs, without={"arn"})
        self.send(aws, "CreateEndpoint", {**request, **self.tagged(inputs)})
        try:
            self._until_in_service(aws, inputs["name"])
        except EndpointNotInServiceError:
            self.delete(aws, inputs["name"], inputs)  # or the next attempt would meet its name taken
            raise
        return self.created(aws, inputs["name"], inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "DescribeEndpoint", {"EndpointName": resource_id})
        if answer is None:
            return None
        names = ("EndpointName", "EndpointArn", "EndpointConfigName")
        outputs = self.answered(aws, "DescribeEndpoint", {name: answer[name] for name in names})
        if deployment := answer.get("LastDeploymentConfig"):
            outputs["deploymentConfig"] = self.answered(aws, "DescribeEndpoint", {"LastDeploymentConfig": deployment})[
                "lastDeploymentConfig"
            ]
        elif "deploymentConfig" in state:
            outputs["deploymentConfig"] = state["deploymentConfig"]
        return self.outputs(aws, state, outputs, arn=answer["EndpointArn"])

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        if changed(olds, news):
            request = self.params(aws, "UpdateEndpoint", news, without={"arn"})
            self.send(aws, "UpdateEndpoint", {**request, "EndpointName": resource_id})
            self._until_in_service(aws, resource_id)
        self.retag(aws, olds, news, self.present(aws, resource_id, news)["arn"])
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteEndpoint", {"EndpointName": resource_id})
        limit = time.monotonic() + _WAIT_S
        while self.ask(aws, "DescribeEndpoint", {"EndpointName": resource_id}) is not None:
            if time.monotonic() > limit:
                raise EndpointNotInServiceError(resource_id, f"not deleted after {_WAIT_S:.0f} s")
            time.sleep(_POLL_S)

    def _until_in_service(self, aws: AwsClients, name: str) -> None:
        limit = time.monotonic() + _WAIT_S
        while True:
            answer: dict[str, Any] = self.send(aws, "DescribeEndpoint", {"EndpointName": name})
            status, reason = answer["EndpointStatus"], answer.get("FailureReason") or ""
            if status == "InService":
                return
            if status not in _MOVING:
                raise EndpointNotInServiceError(name, f"{status}: {reason or 'no reason given'}")
            if time.monotonic() > limit:
                raise EndpointNotInServiceError(name, f"still {status} after {_WAIT_S:.0f} s")
            time.sleep(_POLL_S)


class EndpointNotInServiceError(AwsRefusedError):
    """An endpoint did not get to where it should be; the message holds AWS's FailureReason."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"endpoint {name} {reason}")


HANDLERS: tuple[ResourceHandler, ...] = (EndpointConfiguration(), Endpoint())
