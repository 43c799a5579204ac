"""Athena: workgroups and named queries."""

from typing import Any

from rehearsal.provider.handler import AutoName, AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.service import ServiceHandler, changed
from rehearsal.provider.shapes import Spelling, mapped
from rehearsal.provider.tagging import ATHENA


class Workgroup(ServiceHandler):
    """A workgroup; an update carries the whole configuration as `ConfigurationUpdates`."""

    token = "aws:athena/workgroup:Workgroup"
    service = "athena"
    autoname = AutoName(name_property="name")
    replace_on = frozenset({"name", "region"})
    taggable = True
    tag_calls = ATHENA
    local = frozenset({"forceDestroy"})
    spelling = Spelling(
        names={
            "enforceWorkgroupConfiguration": "EnforceWorkGroupConfiguration",
            "publishCloudwatchMetricsEnabled": "PublishCloudWatchMetricsEnabled",
            "kmsKeyArn": "KmsKey",
            "resultConfigurationUpdates": "ResultConfigurationUpdates",
        }
    )
    not_shown = "moto runs no SQL: rows only where a test primes them, no scan limit, no encryption of results."

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        request = self.params(aws, "CreateWorkGroup", inputs, without={"state"})
        self.send(aws, "CreateWorkGroup", {**request, **self.tagged(inputs)})
        if inputs.get("state") == "DISABLED":
            self.send(aws, "UpdateWorkGroup", {"WorkGroup": inputs["name"], "State": "DISABLED"})
        return self.created(aws, inputs["name"], inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "GetWorkGroup", {"WorkGroup": resource_id})
        if answer is None or not answer.get("WorkGroup"):
            return None
        answered = self.answered(aws, "GetWorkGroup", answer["WorkGroup"], "WorkGroup")
        answered.pop("creationTime", None)
        return self.outputs(aws, state, answered, arn=self._arn(aws, resource_id))

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        if changed(olds, news):
            request: dict[str, Any] = {"WorkGroup": resource_id, "State": news.get("state", "ENABLED")}
            request["Description"] = news.get("description", "")
            configuration = dict(news.get("configuration") or {})
            if "resultConfiguration" in configuration:
                configuration["resultConfigurationUpdates"] = configuration.pop("resultConfiguration")
            elif mapped(olds.get("configuration")).get("resultConfiguration"):
                configuration["resultConfigurationUpdates"] = {
                    "removeOutputLocation": True,
                    "removeEncryptionConfiguration": True,
                }
            shaped = self.params(aws, "UpdateWorkGroup", {"configurationUpdates": configuration})
            self.send(aws, "UpdateWorkGroup", {**request, **shaped})
        self.retag(aws, olds, news, self._arn(aws, resource_id))
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        request = {"WorkGroup": resource_id, "RecursiveDeleteOption": bool(state.get("forceDestroy", False))}
        self.ask(aws, "DeleteWorkGroup", request)

    def _arn(self, aws: AwsClients, name: str) -> str:
        return f"arn:aws:athena:{aws.region}:{aws.account_id}:workgroup/{name}"


class NamedQuery(ServiceHandler):
    """A saved query; AWS gives it its id and nothing of it can be changed."""

    token = "aws:athena/namedQuery:NamedQuery"
    service = "athena"
    autoname = AutoName(name_property="name")
    replace_on = frozenset({"name", "database", "description", "query", "workgroup", "region"})
    spelling = Spelling(names={"query": "QueryString"})

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        given = {"workgroup": "primary", **inputs}
        answer = self.send(aws, "CreateNamedQuery", self.params(aws, "CreateNamedQuery", given))
        return self.created(aws, answer["NamedQueryId"], inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "GetNamedQuery", {"NamedQueryId": resource_id})
        if answer is None:
            return None
        answered = self.answered(aws, "GetNamedQuery", answer["NamedQuery"], "NamedQuery")
        answered["workgroup"] = answered.pop("workGroup", "primary")
        return self.outputs(aws, state, answered)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteNamedQuery", {"NamedQueryId": resource_id})


HANDLERS: tuple[ResourceHandler, ...] = (Workgroup(), NamedQuery())
