"""CloudWatch Logs: the key of a group can change, and its class and protection, which moto drops, are kept."""

import json
from typing import Any, cast

from moto.logs.exceptions import ResourceNotFoundException
from moto.logs.models import LogGroup
from moto.logs.responses import LogsResponse

from rehearsal.aws.gaps import replace

_create_log_group = LogsResponse.create_log_group
_to_describe_dict = LogGroup.to_describe_dict
_DROPPED = ("logGroupClass", "deletionProtectionEnabled")


def _create_whole_group(self: LogsResponse) -> str:
    answer = _create_log_group(self)
    parameters = cast("dict[str, Any]", json.loads(self.body))
    group: Any = self.logs_backend.groups[parameters["logGroupName"]]
    group.rehearsal_dropped = {name: parameters[name] for name in _DROPPED if name in parameters}
    return answer


def _protect(self: LogsResponse) -> str:
    parameters = cast("dict[str, Any]", json.loads(self.body))
    group: Any = self.logs_backend.groups.get(str(parameters["logGroupIdentifier"]))
    if group is None:
        raise ResourceNotFoundException()
    dropped: dict[str, Any] = getattr(group, "rehearsal_dropped", {})
    protected = parameters["deletionProtectionEnabled"]
    group.rehearsal_dropped = {**dropped, "deletionProtectionEnabled": protected}
    return ""


def _whole_group(self: LogGroup) -> dict[str, Any]:
    dropped: dict[str, Any] = getattr(self, "rehearsal_dropped", {})
    return {"logGroupClass": "STANDARD", **_to_describe_dict(self), **dropped}


def _associate(self: LogsResponse) -> str:
    parameters = cast("dict[str, Any]", json.loads(self.body))
    group: Any = self.logs_backend.groups.get(str(parameters["logGroupName"]))
    if group is None:
        raise ResourceNotFoundException()
    group.kms_key_id = parameters.get("kmsKeyId")
    return ""


def install() -> None:
    """Add the calls to moto's CloudWatch Logs."""
    replace(LogsResponse, associate_kms_key=_associate, disassociate_kms_key=_associate)
    replace(LogsResponse, create_log_group=_create_whole_group, put_log_group_deletion_protection=_protect)
    replace(LogGroup, to_describe_dict=_whole_group)
