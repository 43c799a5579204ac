"""Tags of what exists already, for policies that scope by them: keys, networks, roles."""

from collections.abc import Mapping

from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends

from rehearsal.aws.policies import Value

TAGGED = ("ec2", "iam", "kms")
"""The services whose resources' tags are known here."""


def of(arn: str) -> dict[str, Value]:
    """`aws:ResourceTag/…` of the resource, and the service's own name for the same; nothing for what is yet to come."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2] not in TAGGED:
        return {}
    tags = _tags(parts[2], parts[3], parts[4], parts[5])
    prefixes = ("aws:resourcetag/", f"{parts[2]}:resourcetag/")
    return {f"{prefix}{key.lower()}": value for prefix in prefixes for key, value in tags.items()}


def boundary(arn: str) -> str | None:
    """The permissions boundary that a role has."""
    role = next((each for each in list(iam_backends[arn.split(":")[4]]["aws"].roles.values()) if each.arn == arn), None)
    return role.permissions_boundary_arn if role is not None else None


def _tags(service: str, region: str, account_id: str, resource: str) -> Mapping[str, str]:
    kind, _, name = resource.partition("/")
    if service == "ec2":
        return ec2_backends[account_id][region].tags.get(name, {})
    if service == "kms" and kind == "key":
        return kms_backends[account_id][region].tagger.get_tag_dict_for_resource(name)
    if service == "iam" and kind == "role":
        role_name = name.rpartition("/")[2]
        roles = list(iam_backends[account_id]["aws"].roles.values())
        tags = next((role.tags for role in roles if role.name == role_name), None) or ()
        return {str(tag["Key"]): str(tag["Value"]) for tag in tags}
    return {}
