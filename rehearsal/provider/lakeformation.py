"""Lake Formation: settings, registered locations and grants. moto keeps grants; nothing enforces them."""

import json
from typing import Any

from rehearsal.provider.handler import AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.lifecycle import AwsRefusedError
from rehearsal.provider.service import ServiceHandler, changed
from rehearsal.provider.shapes import Spelling, listed

_NOT_ENFORCED = "grants are kept and read back, never enforced."


def _principals(arns: list[str]) -> list[dict[str, str]]:
    return [{"DataLakePrincipalIdentifier": arn} for arn in arns]


def _identifiers(principals: list[dict[str, str]] | None) -> list[str]:
    return [principal["DataLakePrincipalIdentifier"] for principal in principals or []]


class DataLakeSettings(ServiceHandler):
    """One per catalog: put to create and update, put empty to delete."""

    token = "aws:lakeformation/dataLakeSettings:DataLakeSettings"
    service = "lakeformation"
    replace_on = frozenset({"catalogId", "region"})
    not_shown = _NOT_ENFORCED
    spelling = Spelling(
        names={
            "authorizedSessionTagValueLists": "AuthorizedSessionTagValueList",
            "externalDataFilteringAllowLists": "ExternalDataFilteringAllowList",
        }
    )
    _principal_lists = {  # noqa: RUF012 - a constant table
        "admins": "DataLakeAdmins",
        "readOnlyAdmins": "ReadOnlyAdmins",
        "externalDataFilteringAllowLists": "ExternalDataFilteringAllowList",
    }
    _defaults = {  # noqa: RUF012 - a constant table
        "createDatabaseDefaultPermissions": "CreateDatabaseDefaultPermissions",
        "createTableDefaultPermissions": "CreateTableDefaultPermissions",
    }

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        catalog = inputs.get("catalogId") or aws.account_id
        return Created(id=catalog, outputs=self.update(aws, catalog, {}, inputs))

    def _settings(self, aws: AwsClients, properties: Properties) -> dict[str, Any]:
        apart = {"catalogId", *self._principal_lists, *self._defaults}
        settings = self.params(aws, "PutDataLakeSettings", properties, without=apart, member="DataLakeSettings")
        for name, member in self._principal_lists.items():
            settings[member] = _principals(properties.get(name) or [])
        for name, member in self._defaults.items():
            settings[member] = [
                {
                    "Principal": {"DataLakePrincipalIdentifier": entry.get("principal")},
                    "Permissions": listed(entry.get("permissions")),
                }
                for entry in listed(properties.get(name))
            ]
        return settings

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        settings = self.send(aws, "GetDataLakeSettings", {"CatalogId": resource_id})["DataLakeSettings"]
        apart = {*self._principal_lists.values(), *self._defaults.values(), "AuthorizedSessionTagValueList"}
        plain = {member: value for member, value in settings.items() if member not in apart}
        outputs = self.answered(aws, "GetDataLakeSettings", plain, "DataLakeSettings")
        outputs["authorizedSessionTagValueLists"] = settings.get("AuthorizedSessionTagValueList") or []
        for name, member in self._principal_lists.items():
            outputs[name] = _identifiers(settings.get(member))
        for name, member in self._defaults.items():
            outputs[name] = [
                {"principal": _identifiers([entry["Principal"]])[0], "permissions": entry["Permissions"]}
                for entry in listed(settings.get(member))
            ]
        return self.outputs(aws, state, {**outputs, "catalogId": resource_id})

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        request = {"CatalogId": resource_id, "DataLakeSettings": self._settings(aws, news)}
        self.send(aws, "PutDataLakeSettings", request)
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        everybody = [{"Principal": _principals(["IAM_ALLOWED_PRINCIPALS"])[0], "Permissions": ["ALL"]}]
        settings = dict.fromkeys(self._defaults.values(), everybody)
        self.send(aws, "PutDataLakeSettings", {"CatalogId": resource_id, "DataLakeSettings": settings})


class Resource(ServiceHandler):
    """A registered location; its id is its ARN."""

    token = "aws:lakeformation/resource:Resource"
    service = "lakeformation"
    replace_on = frozenset({"arn", "useServiceLinkedRole", "region"})
    spelling = Spelling(names={"arn": "ResourceArn"})
    not_shown = _NOT_ENFORCED

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        request = self.params(aws, "RegisterResource", inputs)
        if not inputs.get("roleArn"):
            request["UseServiceLinkedRole"] = True
        self.send(aws, "RegisterResource", request)
        return self.created(aws, inputs["arn"], inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "DescribeResource", {"ResourceArn": resource_id})
        if answer is None:
            return None
        answered = self.answered(aws, "DescribeResource", answer["ResourceInfo"], "ResourceInfo")
        return self.outputs(aws, state, answered)

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        if changed(olds, news):
            self.send(aws, "UpdateResource", self.params(aws, "UpdateResource", news, without={"useServiceLinkedRole"}))
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeregisterResource", {"ResourceArn": resource_id})


class Permissions(ServiceHandler):
    """One grant of permissions on one database, or on its tables, to one principal; a change is a new grant."""

    token = "aws:lakeformation/permissions:Permissions"
    service = "lakeformation"
    # What a grant may be on goes beyond what is made here: another tool's state may hold it.
    replace_on = frozenset(
        {
            *("catalogId", "catalogResource", "dataCellsFilter", "dataLocation", "database", "lfTag", "lfTagPolicy"),
            *("permissions", "permissionsWithGrantOptions", "principal", "table", "tableWithColumns", "region"),
        }
    )
    not_shown = _NOT_ENFORCED

    def _resource(self, aws: AwsClients, inputs: Properties) -> dict[str, Any]:
        if table := inputs.get("table"):
            names = {"DatabaseName": table["databaseName"], "CatalogId": table.get("catalogId")}
            chosen: dict[str, Any] = {"TableWildcard": {}} if table.get("wildcard") else {"Name": table.get("name")}
            return {"Table": {name: value for name, value in {**names, **chosen}.items() if value is not None}}
        if database := inputs.get("database"):
            return self.params(aws, "GrantPermissions", {"database": database}, member="Resource")
        raise AwsRefusedError("a Lake Formation grant is rehearsed on a `database` or a `table`, and has neither here")

    def _grant(self, aws: AwsClients, inputs: Properties) -> dict[str, Any]:
        return {
            "CatalogId": inputs.get("catalogId") or aws.account_id,
            "Principal": {"DataLakePrincipalIdentifier": inputs["principal"]},
            "Resource": self._resource(aws, inputs),
            "Permissions": inputs["permissions"],
            "PermissionsWithGrantOption": inputs.get("permissionsWithGrantOptions") or [],
        }

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        grant = self._grant(aws, inputs)
        self.send(aws, "GrantPermissions", grant)
        return self.created(aws, json.dumps(grant, sort_keys=True), inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        grant = json.loads(resource_id)
        question = {name: grant[name] for name in ("CatalogId", "Principal", "Resource")}
        answer = self.send(aws, "ListPermissions", question)
        held = [
            entry
            for entry in answer["PrincipalResourcePermissions"]
            if set(grant["Permissions"]) <= set(entry["Permissions"])
        ]
        if not held:
            return None
        inputs = {name: value for name, value in state.items() if name in self.replace_on}
        options = listed(held[0].get("PermissionsWithGrantOption"))
        read_back = {
            "permissions": [name for name in grant["Permissions"] if name in held[0]["Permissions"]],
            "permissionsWithGrantOptions": [name for name in grant["PermissionsWithGrantOption"] if name in options],
            "principal": held[0]["Principal"]["DataLakePrincipalIdentifier"],
        }
        return self.outputs(aws, state, {**inputs, **read_back})

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "RevokePermissions", json.loads(resource_id))


HANDLERS: tuple[ResourceHandler, ...] = (DataLakeSettings(), Resource(), Permissions())
