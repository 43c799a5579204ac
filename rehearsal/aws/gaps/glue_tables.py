"""Glue's optimistic lock on tables: an update of a version that is no longer the current one is refused.

Iceberg's commits rest on it: without it the second of two commits at once silently loses the first.
"""

import threading

from moto.core.responses import ActionResult
from moto.glue.exceptions import GlueClientError
from moto.glue.responses import GlueResponse

from rehearsal.aws.gaps import replace

_create = GlueResponse.create_table
_update = GlueResponse.update_table
_delete = GlueResponse.delete_table
_lock = threading.Lock()


class ConcurrentModificationError(GlueClientError):
    """Glue's ConcurrentModificationException."""

    def __init__(self, message: str) -> None:
        super().__init__("ConcurrentModificationException", message)


def install() -> None:
    """One change of a table at a time, and only of the version that the caller read."""
    replace(GlueResponse, create_table=create_table, update_table=update_table, delete_table=delete_table)


def create_table(self: GlueResponse) -> ActionResult:
    """CreateTable: of two at once, one is refused."""
    with _lock:
        return _create(self)


def update_table(self: GlueResponse) -> ActionResult:
    """UpdateTable with its VersionId."""
    parameters = self.parameters
    expected = parameters.get("VersionId")
    name = parameters.get("Name") or parameters["TableInput"]["Name"]
    with _lock:
        if expected is not None:
            table = self.glue_backend.get_table(parameters["DatabaseName"], name)
            current = str(table.as_dict()["VersionId"])
            if current != str(expected):
                raise ConcurrentModificationError(f"Table {name} is at version {current}, not at {expected} any more.")
        return _update(self)


def delete_table(self: GlueResponse) -> ActionResult:
    """DeleteTable."""
    with _lock:
        return _delete(self)
