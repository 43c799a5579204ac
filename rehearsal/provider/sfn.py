"""Step Functions: state machines. The id is the ARN; the interpreter of the rehearsal runs them."""

from typing import Any

from rehearsal.provider.handler import AutoName, AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.service import ServiceHandler, changed
from rehearsal.provider.shapes import Spelling, listed
from rehearsal.provider.tagging import STATES


class StateMachine(ServiceHandler):
    """A state machine; its definition is parsed by moto's interpreter, so a broken one is refused."""

    token = "aws:sfn/stateMachine:StateMachine"
    service = "stepfunctions"
    autoname = AutoName(name_property="name", max_length=80)
    replace_on = frozenset({"name", "type", "region"})
    taggable = True
    tag_calls = STATES
    spelling = Spelling(names={"arn": "stateMachineArn"})
    local = frozenset({"publish"})
    not_shown = "no execution history in CloudWatch Logs, no X-Ray traces, roles are not assumed."

    def _request(self, aws: AwsClients, operation: str, properties: Properties, *without: str) -> dict[str, Any]:
        request = self.params(aws, operation, properties, without={"loggingConfiguration", "arn", *without})
        if logging := properties.get("loggingConfiguration"):
            configuration = {name: logging[name] for name in ("level", "includeExecutionData") if name in logging}
            if group := logging.get("logDestination"):
                configuration["destinations"] = [{"cloudWatchLogsLogGroup": {"logGroupArn": group}}]
            request["loggingConfiguration"] = configuration
        if "publish" in properties:
            request["publish"] = properties["publish"]
        return request

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        request = {"type": "STANDARD", **self._request(aws, "CreateStateMachine", inputs)}
        answer = self.send(aws, "CreateStateMachine", {**request, **self.tagged(inputs, "tags")})
        return self.created(aws, answer["stateMachineArn"], inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "DescribeStateMachine", {"stateMachineArn": resource_id})
        if answer is None:
            return None
        outputs = self.answered(aws, "DescribeStateMachine", answer)
        if logging := outputs.get("loggingConfiguration"):
            for destination in listed(logging.pop("destinations", None)):
                logging["logDestination"] = destination["cloudWatchLogsLogGroup"]["logGroupArn"]
        return self.outputs(aws, state, outputs, arn=resource_id)

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        if changed(olds, news):
            request = self._request(aws, "UpdateStateMachine", news, "name", "type")
            self.send(aws, "UpdateStateMachine", {"stateMachineArn": resource_id, **request})
        self.retag(aws, olds, news, resource_id)
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteStateMachine", {"stateMachineArn": resource_id})


HANDLERS: tuple[ResourceHandler, ...] = (StateMachine(),)
