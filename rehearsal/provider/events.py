"""EventBridge rules and targets (which Pulumi files under `cloudwatch`).

A rule's id is its name, a target's `<rule>-<target id>`; off the default bus both begin with the bus, as on AWS.
"""

from typing import Any

from rehearsal.provider.handler import AutoName, AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.lifecycle import AwsRefusedError
from rehearsal.provider.service import ServiceHandler, changed
from rehearsal.provider.shapes import Spelling
from rehearsal.provider.tagging import EVENTS


def _bus(properties: Properties) -> str:
    return properties.get("eventBusName") or "default"


class EventRule(ServiceHandler):
    """A rule by pattern, by schedule, or both."""

    token = "aws:cloudwatch/eventRule:EventRule"
    service = "events"
    autoname = AutoName(name_property="name", max_length=64)
    replace_on = frozenset({"name", "namePrefix", "eventBusName", "region"})
    taggable = True
    tag_calls = EVENTS
    local = frozenset({"forceDestroy", "isEnabled"})
    not_shown = "a schedule is kept and read back; it never fires."

    def _put(self, aws: AwsClients, properties: Properties, tags: dict[str, Any]) -> str:
        enabled = "ENABLED" if properties.get("isEnabled", True) else "DISABLED"
        given = {"state": enabled, "eventBusName": "default", **properties}
        request = self.params(aws, "PutRule", given, without={"arn"})
        return self.send(aws, "PutRule", {**request, **tags})["RuleArn"]

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        self._put(aws, inputs, self.tagged(inputs))
        name = inputs["name"]
        return self.created(aws, name if _bus(inputs) == "default" else f"{_bus(inputs)}/{name}", inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        *bus, name = resource_id.split("/")
        answer = self.ask(aws, "DescribeRule", {"Name": name, "EventBusName": "/".join(bus) or "default"})
        if answer is None:
            return None
        outputs = self.answered(aws, "DescribeRule", answer)
        return self.outputs(aws, state, outputs, arn=outputs["arn"])

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        if changed(olds, news):
            self._put(aws, news, {})
        self.retag(aws, olds, news, self.present(aws, resource_id, news)["arn"])
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        *bus, name = resource_id.split("/")
        self.ask(aws, "DeleteRule", {"Name": name, "EventBusName": "/".join(bus) or "default"})


class EventTarget(ServiceHandler):
    """One target of a rule."""

    token = "aws:cloudwatch/eventTarget:EventTarget"
    service = "events"
    replace_on = frozenset({"rule", "targetId", "eventBusName", "region"})
    delete_before_replace = True
    local = frozenset({"forceDestroy"})
    spelling = Spelling(
        names={
            "targetId": "Id",
            "inputPaths": "InputPathsMap",
            "sqsTarget": "SqsParameters",
            "kinesisTarget": "KinesisParameters",
            "batchTarget": "BatchParameters",
            "ecsTarget": "EcsParameters",
            "httpTarget": "HttpParameters",
            "redshiftTarget": "RedshiftDataParameters",
            "sagemakerPipelineTarget": "SageMakerPipelineParameters",
            "pipelineParameterLists": "PipelineParameterList",
        }
    )

    def _put(self, aws: AwsClients, properties: Properties) -> None:
        targets = {"targets": [{k: v for k, v in properties.items() if k not in {"rule", "eventBusName", "region"}}]}
        for name in self.local:
            targets["targets"][0].pop(name, None)
        request = self.params(aws, "PutTargets", targets)
        answer = self.send(aws, "PutTargets", {"Rule": properties["rule"], "EventBusName": _bus(properties), **request})
        if failed := answer.get("FailedEntries"):
            raise TargetRefusedError(properties["rule"], str(failed[0].get("ErrorMessage")))

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        target = inputs.get("targetId") or f"terraform-{inputs['rule']}"[:64]
        named = {**inputs, "targetId": target}
        self._put(aws, named)
        bus = "" if _bus(inputs) == "default" else f"{_bus(inputs)}-"
        return self.created(aws, f"{bus}{inputs['rule']}-{target}", named)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        bus = _bus(state)
        answer = self.ask(aws, "ListTargetsByRule", {"Rule": state["rule"], "EventBusName": bus})
        if answer is None:
            return None
        targets: list[Properties] = self.answered(aws, "ListTargetsByRule", answer)["targets"]
        wanted = state.get("targetId") or resource_id.split(f"{state['rule']}-", 1)[-1]
        found = next((target for target in targets if target["targetId"] == wanted), None)
        if found is None:
            return None
        return self.outputs(aws, state, {**found, "rule": state["rule"], "eventBusName": bus})

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        named = {"targetId": resource_id.split(f"{news['rule']}-", 1)[-1], **news}
        self._put(aws, named)
        return self.present(aws, resource_id, named)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        request = {"Rule": state["rule"], "EventBusName": _bus(state), "Ids": [state["targetId"]]}
        self.ask(aws, "RemoveTargets", request)


class TargetRefusedError(AwsRefusedError):
    """PutTargets answered 200 and refused the target all the same."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(f"EventBridge refused a target of rule {rule}: {reason}")


HANDLERS: tuple[ResourceHandler, ...] = (EventRule(), EventTarget())
