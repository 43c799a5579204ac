"""Athena: UpdateWorkGroup, DeleteNamedQuery, and an error for a named query or workgroup that does not exist."""

import json
from typing import Any, cast

from moto.athena.responses import AthenaResponse

from rehearsal.aws.gaps import replace

_get_named_query = AthenaResponse.get_named_query
_get_work_group = AthenaResponse.get_work_group
_REMOVALS = {
    "RemoveOutputLocation": "OutputLocation",
    "RemoveEncryptionConfiguration": "EncryptionConfiguration",
    "RemoveExpectedBucketOwner": "ExpectedBucketOwner",
    "RemoveAclConfiguration": "AclConfiguration",
}


def _invalid(message: str) -> tuple[str, dict[str, int]]:
    return json.dumps({"__type": "InvalidRequestException", "Message": message}), {"status": 400}


def _merge_results(results: dict[str, Any], updates: dict[str, Any]) -> dict[str, Any]:
    merged = dict(results)
    for flag, member in _REMOVALS.items():
        if updates.get(flag):
            merged.pop(member, None)
    return {**merged, **{name: value for name, value in updates.items() if name not in _REMOVALS}}


def _update_work_group(self: AthenaResponse) -> Any:
    """Only what the update names is changed, as on AWS."""
    name = str(self._get_param("WorkGroup"))  # pyright: ignore[reportPrivateUsage] - moto's way to read a request
    group: Any = self.athena_backend.work_groups.get(name)
    if group is None:
        return _invalid(f"WorkGroup {name} is not found.")
    parameters = cast("dict[str, Any]", json.loads(self.body))
    group.state = parameters.get("State", group.state)
    group.description = parameters.get("Description", group.description)
    updates = dict(parameters.get("ConfigurationUpdates", {}))
    if results := updates.pop("ResultConfigurationUpdates", None):
        current = group.configuration.get("ResultConfiguration", {})
        group.configuration["ResultConfiguration"] = _merge_results(current, results)
    if updates.pop("RemoveBytesScannedCutoffPerQuery", False):
        group.configuration.pop("BytesScannedCutoffPerQuery", None)
    group.configuration.update(updates)
    return "{}"


def _delete_named_query(self: AthenaResponse) -> Any:
    query_id = str(json.loads(self.body)["NamedQueryId"])
    if self.athena_backend.named_queries.pop(query_id, None) is None:
        return _invalid(f"NamedQuery {query_id} does not exist.")
    return "{}"


def _get_known_query(self: AthenaResponse) -> Any:
    query_id = str(json.loads(self.body)["NamedQueryId"])
    if query_id not in self.athena_backend.named_queries:
        return _invalid(f"NamedQuery {query_id} does not exist.")
    return _get_named_query(self)


def _get_known_group(self: AthenaResponse) -> Any:
    name = str(json.loads(self.body)["WorkGroup"])
    if name not in self.athena_backend.work_groups:
        return _invalid(f"WorkGroup {name} is not found.")
    return _get_work_group(self)


def install() -> None:
    """Add the calls to moto's Athena."""
    replace(
        AthenaResponse,
        update_work_group=_update_work_group,
        delete_named_query=_delete_named_query,
        get_named_query=_get_known_query,
        get_work_group=_get_known_group,
    )
