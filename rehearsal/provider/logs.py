"""CloudWatch Logs: groups and resource policies (which Pulumi files under `cloudwatch`)."""

from rehearsal.provider.handler import AutoName, AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.service import ServiceHandler, changed
from rehearsal.provider.shapes import Spelling
from rehearsal.provider.tagging import LOGS


class LogGroup(ServiceHandler):
    """A log group with its retention and key; its id is its name."""

    token = "aws:cloudwatch/logGroup:LogGroup"
    service = "logs"
    autoname = AutoName(name_property="name", max_length=512)
    replace_on = frozenset({"name", "namePrefix", "logGroupClass", "region"})
    taggable = True
    tag_calls = LOGS
    local = frozenset({"skipDestroy"})
    spelling = Spelling(names={"name": "logGroupName"})
    not_shown = "nothing expires, nothing is encrypted."

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        request = self.params(aws, "CreateLogGroup", inputs, without={"retentionInDays", "arn"})
        self.send(aws, "CreateLogGroup", {**request, **self.tagged(inputs, "tags")})
        self._retain(aws, inputs["name"], inputs)
        return self.created(aws, inputs["name"], inputs)

    def _retain(self, aws: AwsClients, name: str, properties: Properties) -> None:
        if days := properties.get("retentionInDays"):
            self.send(aws, "PutRetentionPolicy", {"logGroupName": name, "retentionInDays": int(days)})
        else:
            self.send(aws, "DeleteRetentionPolicy", {"logGroupName": name})

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        groups = self.send(aws, "DescribeLogGroups", {"logGroupNamePrefix": resource_id})["logGroups"]
        found = next((group for group in groups if group["logGroupName"] == resource_id), None)
        if found is None:
            return None
        wanted = {"logGroupName", "kmsKeyId", "retentionInDays", "logGroupClass", "deletionProtectionEnabled"}
        answered = {name: value for name, value in found.items() if name in wanted}
        outputs = {"retentionInDays": 0, "kmsKeyId": "", **answered}
        outputs["name"] = outputs.pop("logGroupName")
        return self.outputs(aws, state, outputs, arn=found["arn"].removesuffix(":*"))

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        names = changed(olds, news)
        if "retentionInDays" in names:
            self._retain(aws, resource_id, news)
        if "deletionProtectionEnabled" in names:
            wanted = bool(news.get("deletionProtectionEnabled"))
            request = {"logGroupIdentifier": resource_id, "deletionProtectionEnabled": wanted}
            self.send(aws, "PutLogGroupDeletionProtection", request)
        if "kmsKeyId" in names:
            if key := news.get("kmsKeyId"):
                self.send(aws, "AssociateKmsKey", {"logGroupName": resource_id, "kmsKeyId": key})
            else:
                self.send(aws, "DisassociateKmsKey", {"logGroupName": resource_id})
        outputs = self.present(aws, resource_id, news)
        self.retag(aws, olds, news, outputs["arn"])
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        if not state.get("skipDestroy"):
            self.ask(aws, "DeleteLogGroup", {"logGroupName": resource_id})


class LogResourcePolicy(ServiceHandler):
    """An account's policy that lets services write logs; its id is its name."""

    token = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
    service = "logs"
    replace_on = frozenset({"policyName", "resourceArn", "region"})
    dropped = frozenset({"resourceArn"})
    not_shown = "the policy is kept, never evaluated."

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        resource_id = inputs.get("policyName") or inputs["resourceArn"]
        return Created(id=resource_id, outputs=self.update(aws, resource_id, {}, inputs))

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        policies = self.send(aws, "DescribeResourcePolicies", {})["resourcePolicies"]
        found = next((policy for policy in policies if policy.get("policyName") == resource_id), None)
        if found is None:
            return None
        outputs = {"policyName": found["policyName"], "policyDocument": found["policyDocument"]}
        return self.outputs(aws, state, {**outputs, "policyScope": found.get("policyScope", "ACCOUNT")})

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        self.send(aws, "PutResourcePolicy", self.params(aws, "PutResourcePolicy", news))
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteResourcePolicy", {"policyName": resource_id})


HANDLERS: tuple[ResourceHandler, ...] = (LogGroup(), LogResourcePolicy())
