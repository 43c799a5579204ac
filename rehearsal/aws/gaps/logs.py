"""CloudWatch Logs: AssociateKmsKey and DisassociateKmsKey."""

import json
from typing import Any, cast

from moto.logs.exceptions import ResourceNotFoundException
from moto.logs.responses import LogsResponse

from rehearsal.aws.gaps import replace


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
