"""Glue: the catalog's databases and encryption, security configurations, jobs and network connections."""

from typing import Any

from rehearsal.provider.handler import AutoName, AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.service import ServiceHandler, changed
from rehearsal.provider.shapes import Spelling, mapped
from rehearsal.provider.tagging import GLUE


def _arn(aws: AwsClients, kind: str, name: str) -> str:
    return f"arn:aws:glue:{aws.region}:{aws.account_id}:{kind}/{name}"


class CatalogDatabase(ServiceHandler):
    """Its id is `<catalog id>:<name>`."""

    token = "aws:glue/catalogDatabase:CatalogDatabase"
    service = "glue"
    autoname = AutoName(name_property="name")
    replace_on = frozenset({"name", "catalogId", "region"})
    taggable = True
    tag_calls = GLUE

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        catalog = inputs.get("catalogId") or aws.account_id
        self.send(aws, "CreateDatabase", {"CatalogId": catalog, **self._input(aws, inputs), **self.tagged(inputs)})
        return self.created(aws, f"{catalog}:{inputs['name']}", inputs)

    def _input(self, aws: AwsClients, properties: Properties) -> dict[str, Any]:
        member = self.params(aws, "CreateDatabase", properties, without={"catalogId", "arn"}, member="DatabaseInput")
        return {"DatabaseInput": member}

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        catalog, name = resource_id.split(":", 1)
        answer = self.ask(aws, "GetDatabase", {"CatalogId": catalog, "Name": name})
        if answer is None:
            return None
        answered = self.answered(aws, "GetDatabase", answer["Database"], "Database")
        return self.outputs(aws, state, answered, arn=_arn(aws, "database", name))

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        catalog, name = resource_id.split(":", 1)
        if changed(olds, news):
            self.send(aws, "UpdateDatabase", {"CatalogId": catalog, "Name": name, **self._input(aws, news)})
        self.retag(aws, olds, news, _arn(aws, "database", name))
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        catalog, name = resource_id.split(":", 1)
        self.ask(aws, "DeleteDatabase", {"CatalogId": catalog, "Name": name})


class DataCatalogEncryptionSettings(ServiceHandler):
    """One per catalog: created by putting it, deleted by putting the defaults back."""

    token = "aws:glue/dataCatalogEncryptionSettings:DataCatalogEncryptionSettings"
    service = "glue"
    replace_on = frozenset({"catalogId", "region"})
    not_shown = "moto keeps the settings and encrypts nothing."

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        catalog = inputs.get("catalogId") or aws.account_id
        self.update(aws, catalog, {}, inputs)
        return self.created(aws, catalog, inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "GetDataCatalogEncryptionSettings", {"CatalogId": resource_id})
        if answer is None:
            return None
        return self.outputs(
            aws, state, {**self.answered(aws, "GetDataCatalogEncryptionSettings", answer), "catalogId": resource_id}
        )

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        request = self.params(aws, "PutDataCatalogEncryptionSettings", news, without={"catalogId"})
        self.send(aws, "PutDataCatalogEncryptionSettings", {"CatalogId": resource_id, **request})
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.send(
            aws,
            "PutDataCatalogEncryptionSettings",
            {
                "CatalogId": resource_id,
                "DataCatalogEncryptionSettings": {
                    "EncryptionAtRest": {"CatalogEncryptionMode": "DISABLED"},
                    "ConnectionPasswordEncryption": {"ReturnConnectionPasswordEncrypted": False},
                },
            },
        )


class SecurityConfiguration(ServiceHandler):
    """What a job encrypts; it cannot be changed, only replaced."""

    token = "aws:glue/securityConfiguration:SecurityConfiguration"
    service = "glue"
    autoname = AutoName(name_property="name")
    replace_on = frozenset({"name", "encryptionConfiguration", "region"})
    spelling = Spelling(
        names={"cloudwatchEncryption": "CloudWatchEncryption", "cloudwatchEncryptionMode": "CloudWatchEncryptionMode"}
    )

    def params(self, aws: AwsClients, operation: str, properties: Properties, **options: Any) -> dict[str, Any]:
        """One S3 encryption to Pulumi is a list of them to AWS."""
        encryption = dict(properties["encryptionConfiguration"])
        if isinstance(encryption.get("s3Encryption"), dict):
            encryption["s3Encryption"] = [encryption["s3Encryption"]]
        return super().params(aws, operation, {**properties, "encryptionConfiguration": encryption}, **options)

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        self.send(aws, "CreateSecurityConfiguration", self.params(aws, "CreateSecurityConfiguration", inputs))
        return self.created(aws, inputs["name"], inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "GetSecurityConfiguration", {"Name": resource_id})
        if answer is None:
            return None
        outputs = self.answered(
            aws, "GetSecurityConfiguration", answer["SecurityConfiguration"], "SecurityConfiguration"
        )
        encryption = outputs["encryptionConfiguration"]
        encryption["s3Encryption"] = next(iter(encryption.get("s3Encryption") or []), None)
        return self.outputs(aws, state, outputs)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteSecurityConfiguration", {"Name": resource_id})


class Job(ServiceHandler):
    """A Glue job; its runs are the rehearsal's job launcher's."""

    token = "aws:glue/job:Job"
    service = "glue"
    autoname = AutoName(name_property="name")
    replace_on = frozenset({"name", "region"})
    taggable = True
    tag_calls = GLUE
    spelling = Spelling(names={"roleArn": "Role", "connections": "Connections"})
    not_shown = (
        "a run is a process of this machine: no workers, no Spark, no VPC; "
        "Python modules come from the checkout's environment, not from the wheels the job names."
    )

    def _request(self, aws: AwsClients, operation: str, properties: Properties, **options: Any) -> dict[str, Any]:
        request = self.params(aws, operation, {**properties, "connections": None}, **options)
        if connections := properties.get("connections"):
            request["Connections"] = {"Connections": connections}
        return request

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        self.send(aws, "CreateJob", {**self._request(aws, "CreateJob", inputs), **self.tagged(inputs)})
        return self.created(aws, inputs["name"], inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "GetJob", {"JobName": resource_id})
        if answer is None:
            return None
        outputs = self.answered(aws, "GetJob", answer["Job"], "Job")
        outputs["connections"] = mapped(outputs.get("connections")).get("connections")
        return self.outputs(aws, state, outputs, arn=_arn(aws, "job", resource_id))

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        if changed(olds, news):
            update = self._request(aws, "UpdateJob", news, without={"name", "arn"}, member="JobUpdate")
            self.send(aws, "UpdateJob", {"JobName": resource_id, "JobUpdate": update})
        self.retag(aws, olds, news, _arn(aws, "job", resource_id))
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteJob", {"JobName": resource_id})


class Connection(ServiceHandler):
    """Its id is `<catalog id>:<name>`."""

    token = "aws:glue/connection:Connection"
    service = "glue"
    autoname = AutoName(name_property="name")
    replace_on = frozenset({"name", "catalogId", "region"})
    taggable = True
    tag_calls = GLUE
    spelling = Spelling(names={"matchCriterias": "MatchCriteria", "securityGroupIdLists": "SecurityGroupIdList"})
    not_shown = "a connection puts no job into a VPC here."

    def _input(self, aws: AwsClients, properties: Properties) -> dict[str, Any]:
        given: Properties = {"connectionType": "JDBC", "connectionProperties": {}, **properties}
        member = self.params(aws, "CreateConnection", given, without={"catalogId", "arn"}, member="ConnectionInput")
        return {"ConnectionInput": member}

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        catalog = inputs.get("catalogId") or aws.account_id
        self.send(aws, "CreateConnection", {"CatalogId": catalog, **self._input(aws, inputs), **self.tagged(inputs)})
        return self.created(aws, f"{catalog}:{inputs['name']}", inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        catalog, name = resource_id.split(":", 1)
        answer = self.ask(aws, "GetConnection", {"CatalogId": catalog, "Name": name})
        if answer is None:
            return None
        answered = {**self.answered(aws, "GetConnection", answer["Connection"], "Connection"), "catalogId": catalog}
        return self.outputs(aws, state, answered, arn=_arn(aws, "connection", name))

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        catalog, name = resource_id.split(":", 1)
        if changed(olds, news):
            self.send(aws, "UpdateConnection", {"CatalogId": catalog, "Name": name, **self._input(aws, news)})
        self.retag(aws, olds, news, _arn(aws, "connection", name))
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        catalog, name = resource_id.split(":", 1)
        self.ask(aws, "DeleteConnection", {"CatalogId": catalog, "ConnectionName": name})


HANDLERS: tuple[ResourceHandler, ...] = (
    CatalogDatabase(),
    DataCatalogEncryptionSettings(),
    SecurityConfiguration(),
    Job(),
    Connection(),
)
