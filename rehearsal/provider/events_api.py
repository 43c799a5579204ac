"""Connections and API destinations of EventBridge (which Pulumi files under `cloudwatch`); the id is the name.

AWS gives no credential of a connection back, and neither does the rehearsal: what the program gave is kept.
"""

from typing import ClassVar

from rehearsal.provider.handler import AutoName, AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.service import ServiceHandler
from rehearsal.provider.shapes import Spelling


class EventConnection(ServiceHandler):
    """How a destination is authorised; EventBridge keeps the credentials in a secret of its own."""

    token = "aws:cloudwatch/eventConnection:EventConnection"
    service = "events"
    autoname: ClassVar[AutoName | None] = AutoName(name_property="name", max_length=64)
    replace_on = frozenset({"name", "region"})
    spelling = Spelling(
        names={
            "apiKey": "ApiKeyAuthParameters",
            "basic": "BasicAuthParameters",
            "oauth": "OAuthParameters",
            "key": "ApiKeyName",
            "value": "ApiKeyValue",
        }
    )
    dropped = frozenset({"authParameters", "kmsKeyIdentifier"})

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        self.send(aws, "CreateConnection", self.params(aws, "CreateConnection", inputs))
        return self.created(aws, str(inputs["name"]), inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "DescribeConnection", {"Name": resource_id})
        if answer is None:
            return None
        shown = ("Name", "Description", "AuthorizationType", "SecretArn")
        found = self.answered(aws, "DescribeConnection", {name: answer[name] for name in shown if name in answer})
        return self.outputs(aws, state, {**found, "arn": answer["ConnectionArn"]})

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        self.send(aws, "UpdateConnection", self.params(aws, "UpdateConnection", news))
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteConnection", {"Name": resource_id})


class EventApiDestination(ServiceHandler):
    """An address that EventBridge calls, at a rate, authorised by a connection."""

    token = "aws:cloudwatch/eventApiDestination:EventApiDestination"
    service = "events"
    autoname: ClassVar[AutoName | None] = AutoName(name_property="name", max_length=64)
    replace_on = frozenset({"name", "region"})
    not_shown = "The rate limit; and in the rehearsal an address on this machine is called without TLS."

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        self.send(aws, "CreateApiDestination", self.params(aws, "CreateApiDestination", inputs))
        return self.created(aws, str(inputs["name"]), inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "DescribeApiDestination", {"Name": resource_id})
        if answer is None:
            return None
        found = self.answered(aws, "DescribeApiDestination", answer)
        kept = ("name", "description", "connectionArn", "invocationEndpoint", "httpMethod")
        shown = {name: found[name] for name in kept if name in found}
        limit = found.get("invocationRateLimitPerSecond")
        shown |= {"invocationRateLimitPerSecond": int(limit)} if limit else {}
        return self.outputs(aws, state, {**shown, "arn": answer["ApiDestinationArn"]})

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        self.send(aws, "UpdateApiDestination", self.params(aws, "UpdateApiDestination", news))
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteApiDestination", {"Name": resource_id})


HANDLERS: tuple[ResourceHandler, ...] = (EventConnection(), EventApiDestination())
