"""Application Auto Scaling: targets and policies."""

from typing import Any

from rehearsal.provider.handler import AutoName, AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.service import ServiceHandler, changed
from rehearsal.provider.shapes import Spelling, listed
from rehearsal.provider.tagging import AUTOSCALING

_NEVER_SCALES = "kept and read back; nothing scales."


def _where(state: Properties) -> dict[str, Any]:
    return {"ServiceNamespace": state["serviceNamespace"], "ScalableDimension": state["scalableDimension"]}


class Target(ServiceHandler):
    """What may be scaled, and how far; its id is the resource id."""

    token = "aws:appautoscaling/target:Target"
    service = "application-autoscaling"
    replace_on = frozenset({"resourceId", "scalableDimension", "serviceNamespace", "region"})
    taggable = True
    tag_calls = AUTOSCALING
    spelling = Spelling(names={"arn": "ScalableTargetARN"})
    not_shown = _NEVER_SCALES

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        request = self.params(aws, "RegisterScalableTarget", inputs, without={"arn"})
        self.send(aws, "RegisterScalableTarget", {**request, **self.tagged(inputs)})
        return self.created(aws, inputs["resourceId"], inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        question = {**_where(state), "ResourceIds": [resource_id]}
        answer = self.answered(aws, "DescribeScalableTargets", self.send(aws, "DescribeScalableTargets", question))
        if not answer.get("scalableTargets"):
            return None
        outputs: Properties = answer["scalableTargets"][0]
        outputs.pop("creationTime", None)
        return self.outputs(aws, state, outputs, arn=outputs.get("arn", ""))

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        if changed(olds, news):
            self.send(aws, "RegisterScalableTarget", self.params(aws, "RegisterScalableTarget", news, without={"arn"}))
        self.retag(aws, olds, news, self.present(aws, resource_id, news)["arn"])
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeregisterScalableTarget", {**_where(state), "ResourceId": resource_id})


class Policy(ServiceHandler):
    """When to scale a target; its id is its name."""

    token = "aws:appautoscaling/policy:Policy"
    service = "application-autoscaling"
    autoname = AutoName(name_property="name")
    replace_on = frozenset({"name", "resourceId", "scalableDimension", "serviceNamespace", "region"})
    spelling = Spelling(names={"name": "PolicyName", "arn": "PolicyARN"})
    not_shown = _NEVER_SCALES

    def _put(self, aws: AwsClients, properties: Properties) -> None:
        given = {"policyType": "StepScaling", **properties}
        self.send(aws, "PutScalingPolicy", self.params(aws, "PutScalingPolicy", given, without={"arn", "alarmArns"}))

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        self._put(aws, inputs)
        return self.created(aws, inputs["name"], inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        question = {**_where(state), "ResourceId": state["resourceId"], "PolicyNames": [resource_id]}
        answer = self.answered(aws, "DescribeScalingPolicies", self.send(aws, "DescribeScalingPolicies", question))
        found = [policy for policy in answer.get("scalingPolicies", []) if policy["name"] == resource_id]
        if not found:
            return None
        outputs: Properties = found[0]
        outputs.pop("creationTime", None)
        outputs["alarmArns"] = [alarm["alarmArn"] for alarm in listed(outputs.pop("alarms", None))]
        return self.outputs(aws, state, outputs)

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        self._put(aws, news)
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        question = {**_where(state), "ResourceId": state["resourceId"], "PolicyName": resource_id}
        self.ask(aws, "DeleteScalingPolicy", question)


HANDLERS: tuple[ResourceHandler, ...] = (Target(), Policy())
