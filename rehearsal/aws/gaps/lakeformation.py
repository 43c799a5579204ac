"""Lake Formation: UpdateResource, and the fields of a registration that moto drops."""

import json
from typing import Any, cast

from moto.lakeformation import urls
from moto.lakeformation.exceptions import EntityNotFound
from moto.lakeformation.responses import LakeFormationResponse

from rehearsal.aws.gaps import replace

_register = LakeFormationResponse.register_resource
_MEMBERS = ("WithFederation", "HybridAccessEnabled", "WithPrivilegedAccess")


def _note(self: LakeFormationResponse, parameters: dict[str, Any]) -> None:
    resource: Any = self.lakeformation_backend.resources[parameters["ResourceArn"]]
    if parameters.get("UseServiceLinkedRole") and not parameters.get("RoleArn"):
        account = self.current_account
        role = "aws-service-role/lakeformation.amazonaws.com/AWSServiceRoleForLakeFormationDataAccess"
        resource.role_arn = f"arn:aws:iam::{account}:role/{role}"
    plain = {"ResourceArn": resource.arn, "RoleArn": resource.role_arn}
    details = {name: parameters[name] for name in _MEMBERS if name in parameters}
    resource.to_dict = lambda: {**plain, **details}


def _register_resource(self: LakeFormationResponse) -> str:
    answer = _register(self)
    _note(self, cast("dict[str, Any]", json.loads(self.body)))
    return answer


def _update_resource(self: LakeFormationResponse) -> str:
    parameters = cast("dict[str, Any]", json.loads(self.body))
    resource: Any = self.lakeformation_backend.resources.get(parameters["ResourceArn"])
    if resource is None:
        raise EntityNotFound
    resource.role_arn = parameters["RoleArn"]
    _note(self, parameters)
    return "{}"


def install() -> None:
    """Add the call, and its path, to moto's Lake Formation."""
    urls.url_paths["{0}/UpdateResource$"] = urls.response.dispatch
    replace(LakeFormationResponse, register_resource=_register_resource, update_resource=_update_resource)
