"""Glue: UpdateJob, UpdateConnection, DeleteConnection, and the fields of jobs and connections that moto drops."""

from typing import Any, cast

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.glue.exceptions import EntityNotFoundException
from moto.glue.models import FakeConnection, FakeJob
from moto.glue.responses import GlueResponse

from rehearsal.aws.gaps import replace

_connection_as_dict = FakeConnection.as_dict
_job_as_dict = FakeJob.as_dict
_create_job = GlueResponse.create_job
_DROPPED_OF_JOB = ("JobMode", "JobRunQueuingEnabled", "MaintenanceWindow")
_ATTRIBUTES = {
    "Description": "description",
    "LogUri": "log_uri",
    "Role": "role",
    "ExecutionProperty": "execution_property",
    "Command": "command",
    "DefaultArguments": "default_arguments",
    "NonOverridableArguments": "non_overridable_arguments",
    "Connections": "connections",
    "MaxRetries": "max_retries",
    "AllocatedCapacity": "allocated_capacity",
    "Timeout": "timeout",
    "MaxCapacity": "max_capacity",
    "WorkerType": "worker_type",
    "NumberOfWorkers": "number_of_workers",
    "SecurityConfiguration": "security_configuration",
    "NotificationProperty": "notification_property",
    "GlueVersion": "glue_version",
    "CodeGenConfigurationNodes": "code_gen_configuration_nodes",
    "ExecutionClass": "execution_class",
    "SourceControlDetails": "source_control_details",
}
_EMPTY: dict[str, Any] = {"ExecutionProperty": {}, "DefaultArguments": {}, "ExecutionClass": "STANDARD"}


def _update_job(self: GlueResponse) -> ActionResult:
    """What the update leaves out goes back to its default, as on AWS."""
    parameters = self.parameters
    job: Any = self.glue_backend.get_job(parameters["JobName"])
    update = cast("dict[str, Any]", parameters["JobUpdate"])
    for member, attribute in _ATTRIBUTES.items():
        setattr(job, attribute, update.get(member, _EMPTY.get(member)))
    job.last_modified_on = utcnow()
    _note(job, update)
    return ActionResult({"JobName": job.name})


def _create_whole_job(self: GlueResponse) -> ActionResult:
    answer = _create_job(self)
    _note(self.glue_backend.get_job(self.parameters["Name"]), self.parameters)
    return answer


def _note(job: Any, given: dict[str, Any]) -> None:
    job.rehearsal_dropped = {name: given[name] for name in _DROPPED_OF_JOB if name in given}


def _whole_job(self: FakeJob) -> dict[str, Any]:
    dropped: dict[str, Any] = getattr(self, "rehearsal_dropped", {})
    return {**_job_as_dict(self), **dropped}


def _connections(self: GlueResponse, name: str) -> dict[str, Any]:
    connections = cast("dict[str, Any]", self.glue_backend.connections)
    if name not in connections:
        raise EntityNotFoundException(f"Connection {name} not found")
    return connections


def _update_connection(self: GlueResponse) -> ActionResult:
    parameters = self.parameters
    connection = _connections(self, parameters["Name"])[parameters["Name"]]
    given = cast("dict[str, Any]", parameters["ConnectionInput"])
    connection.connection_input = given
    connection.description = given.get("Description")
    connection.connection_properties = given.get("ConnectionProperties", {})
    connection.athena_properties = given.get("AthenaProperties", {})
    connection.updated_time = utcnow()
    return EmptyResult()


def _delete_connection(self: GlueResponse) -> ActionResult:
    name = str(self.parameters["ConnectionName"])
    del _connections(self, name)[name]
    return EmptyResult()


def _whole_connection(self: FakeConnection, hide_password: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002
    given = self.connection_input
    dropped = {name: given[name] for name in ("ConnectionType", "MatchCriteria") if name in given}
    return {**_connection_as_dict(self, hide_password), **dropped}


def install() -> None:
    """Add the calls to moto's Glue."""
    replace(
        GlueResponse,
        create_job=_create_whole_job,
        update_job=_update_job,
        update_connection=_update_connection,
        delete_connection=_delete_connection,
    )
    replace(FakeConnection, as_dict=_whole_connection)
    replace(FakeJob, as_dict=_whole_job)
