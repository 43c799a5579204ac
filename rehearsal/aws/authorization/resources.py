"""The ARNs that a call is about, from the forms in the Service Authorization Reference and the call's own parameters.

What is required and not named in the request is `*` there, as AWS does for what a call is about to create: so a
policy must be as wide as the call, never narrower.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from moto.athena.models import athena_backends
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.secretsmanager.models import secretsmanager_backends

from rehearsal.aws.authorization.reference import resource_types

_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
_MEMBERS: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("application-autoscaling", "ResourceId"): ("ResourceId",),
    ("athena", "WorkGroupName"): ("WorkGroup", "Name"),
    ("budgets", "BudgetName"): ("BudgetName", "Budget.BudgetName"),
    ("cloudwatch", "AlarmName"): ("AlarmName", "AlarmNames"),
    ("cloudwatch", "DashboardName"): ("DashboardName", "DashboardNames"),
    ("ec2", "NetworkInterfaceId"): ("NetworkInterfaceId", "NetworkInterfaceIds"),
    ("ec2", "RouteTableId"): ("RouteTableId", "RouteTableIds", "AddRouteTableIds"),
    ("ec2", "SecurityGroupId"): ("GroupId", "GroupIds", "SecurityGroupIds", "Groups"),
    ("ec2", "SubnetId"): ("SubnetId", "SubnetIds", "AddSubnetIds"),
    ("ec2", "VpcEndpointId"): ("VpcEndpointId", "VpcEndpointIds"),
    ("ec2", "VpcFlowLogId"): ("FlowLogIds",),
    ("ec2", "VpcId"): ("VpcId", "ResourceIds"),
    ("ecr", "RepositoryName"): ("repositoryName", "repositoryNames"),
    ("events", "ApiDestinationName"): ("Name",),
    ("events", "ConnectionName"): ("Name",),
    ("events", "EventBusName"): ("EventBusName", "Entries.EventBusName"),
    ("events", "RuleName"): ("Name", "Rule"),
    ("glue", "ConnectionName"): ("ConnectionInput.Name", "ConnectionName", "Name"),
    ("glue", "CrawlerName"): ("CrawlerName", "Name"),
    ("glue", "DatabaseName"): ("DatabaseName", "DatabaseInput.Name", "Name"),
    ("glue", "JobName"): ("JobName", "Name"),
    ("glue", "TableName"): ("TableName", "TableInput.Name", "Name"),
    ("iam", "GroupNameWithPath"): ("GroupName",),
    ("iam", "InstanceProfileNameWithPath"): ("InstanceProfileName",),
    ("iam", "UserNameWithPath"): ("UserName",),
    ("lambda", "FunctionName"): ("FunctionName",),
    ("s3", "BucketName"): ("Bucket",),
    ("s3", "ObjectName"): ("Key",),
    ("secretsmanager", "SecretId"): ("SecretId", "Name"),
    ("sns", "TopicName"): ("Name",),
    ("sqs", "QueueName"): ("QueueName", "QueueUrl"),
    ("states", "StateMachineName"): ("name",),
}
"""Where the value of a placeholder stands, if it is not in a member of its own name."""

_DEFAULT_BUS: Final = "default"
_EC2_TAGGED: Final = {
    "subnet": "subnet",
    "sg": "security-group",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
    "rtb": "route-table",
    "fl": "vpc-flow-log",
    "sgr": "security-group-rule",
    "eni": "network-interface",
}


def resources(action: str, parameters: Mapping[str, Any], *, account_id: str, region: str) -> tuple[str, ...]:
    """The ARNs that `action` is checked on; `*` where AWS knows none."""
    own = _SPECIAL.get(action.partition(":")[0])
    found = own(action, parameters, account_id, region) if own else None
    return found if found is not None else _general(action, parameters, account_id, region)


def _general(action: str, parameters: Mapping[str, Any], account_id: str, region: str) -> tuple[str, ...]:
    service = action.partition(":")[0]
    named: list[str] = []
    open_ended: list[str] = []
    given = list(_arns(parameters, service))
    for _, anywhere, required in resource_types(action):
        form = _located(anywhere, account_id, region)
        found = [arn for arn in given if _form(form).fullmatch(arn)] or list(_filled(service, form, parameters))
        named += [arn for arn in found if arn not in named]
        if not found and required:
            open_ended.append(_PLACEHOLDER.sub("*", form))
    # what EC2 makes has no name yet; elsewhere several required types are either this or that
    return tuple(named + open_ended if service == "ec2" or not named else named) or ("*",)


def _located(form: str, account_id: str, region: str) -> str:
    values = {"Partition": "aws", "Region": region, "Account": account_id}
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), form)


@functools.lru_cache(maxsize=4096)
def _form(form: str) -> re.Pattern[str]:
    """A form's placeholder stands for anything; its account and region too, as another's can be named."""
    parts = [".+" if index % 2 else re.escape(part) for index, part in enumerate(_PLACEHOLDER.split(form))]
    head = re.sub(r"^arn:aws:([a-z0-9\\-]+):[^:]*:[^:]*:", r"arn:aws:\1:[^:]*:[^:]*:", "".join(parts))
    return re.compile(head)


def _arns(parameters: Mapping[str, Any], service: str) -> Iterator[str]:
    for value in parameters.values():
        for entry in cast("list[Any]", value) if isinstance(value, list) else [value]:
            if isinstance(entry, str) and entry.startswith(f"arn:aws:{service}:"):
                yield entry


def _filled(service: str, form: str, parameters: Mapping[str, Any]) -> Iterator[str]:
    placeholders = _PLACEHOLDER.findall(form)
    if not placeholders:
        yield form
        return
    choices = [list(_values(service, name, parameters)) for name in placeholders]
    if not all(choices):
        return
    # what comes last may be several, what leads to it is one
    *fixed, last = choices
    for value in last:
        values = iter([*(each[0] for each in fixed), value])
        yield _PLACEHOLDER.sub(lambda _found, values=values: next(values), form)


def _values(service: str, placeholder: str, parameters: Mapping[str, Any]) -> Iterator[str]:
    for path in (*_MEMBERS.get((service, placeholder), ()), placeholder):
        found = _at(parameters, path)
        if found:
            yield from found
            return


def _at(parameters: Mapping[str, Any], path: str) -> list[str]:
    name, _, rest = path.partition(".")
    value = next((each for key, each in parameters.items() if key.lower() == name.lower()), None)
    if value is None:
        return []
    entries = cast("list[Any]", value) if isinstance(value, list) else [value]
    if rest:
        return [
            text for entry in entries if isinstance(entry, dict) for text in _at(cast("dict[str, Any]", entry), rest)
        ]
    return [str(entry).rpartition("/")[2] if str(entry).startswith("http") else str(entry) for entry in entries]


def _kms(action: str, parameters: Mapping[str, Any], account_id: str, region: str) -> tuple[str, ...] | None:
    del action
    key = parameters.get("KeyId") or parameters.get("TargetKeyId") or parameters.get("SourceKeyId")
    alias = parameters.get("AliasName")
    if key is None and alias is None:
        return None
    found = [key_arn(str(key), account_id, region)] if key is not None else []
    if alias is not None:
        found.append(f"arn:aws:kms:{region}:{account_id}:{alias}")
    return tuple(found)


def key_arn(key: str, account_id: str, region: str) -> str:
    """The ARN of a key given by ARN, id or alias; one that does not exist is named all the same."""
    if key.startswith("arn:") and ":key/" in key:
        return key
    name = key.rpartition(":")[2]
    backend = kms_backends[account_id][region]
    if name.startswith("alias/"):
        name = str(backend.get_key_id_from_alias(name) or name)
    return f"arn:aws:kms:{region}:{account_id}:key/{name.removeprefix('key/')}"


def _iam(action: str, parameters: Mapping[str, Any], account_id: str, region: str) -> tuple[str, ...] | None:
    del region
    role, operation = parameters.get("RoleName"), action.partition(":")[2]
    if role is not None:
        path = parameters.get("Path")
        return (
            (f"arn:aws:iam::{account_id}:role{path or '/'}{role}",)
            if operation == "CreateRole"
            else (role_arn(str(role), account_id),)
        )
    if operation == "CreatePolicy":
        return (f"arn:aws:iam::{account_id}:policy{parameters.get('Path') or '/'}{parameters.get('PolicyName')}",)
    if operation == "CreateOpenIDConnectProvider":
        return (f"arn:aws:iam::{account_id}:oidc-provider/{str(parameters.get('Url')).removeprefix('https://')}",)
    return None


def role_arn(name: str, account_id: str) -> str:
    """The ARN of a role by its name, with the path that it has."""
    role = next((each for each in list(iam_backends[account_id]["aws"].get_roles()) if each.name == name), None)
    return str(role.arn) if role is not None else f"arn:aws:iam::{account_id}:role/{name}"


def _logs(action: str, parameters: Mapping[str, Any], account_id: str, region: str) -> tuple[str, ...] | None:
    """A log group's ARN ends in `:*` in policies, but for tags.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    """
    found = _general(action, parameters, account_id, region)
    if action.endswith(("TagResource", "ListTagsForResource", "TagLogGroup")):
        return found
    return tuple(
        f"{arn.removesuffix(':*')}:log-stream:" if ":log-group:" in arn and ":log-stream:" not in arn else arn
        for arn in found
    )


def _events(action: str, parameters: Mapping[str, Any], account_id: str, region: str) -> tuple[str, ...] | None:
    """A rule of the default bus has no bus in its ARN, and who puts an event without a bus puts it there."""
    bus = (_at(parameters, "EventBusName") or _at(parameters, "Entries.EventBusName") or [_DEFAULT_BUS])[0]
    bus = bus.rpartition("/")[2]
    here = f"arn:aws:events:{region}:{account_id}"
    if action == "events:PutEvents":
        return (f"{here}:event-bus/{bus}",)
    rule = _at(parameters, "Rule") or (_at(parameters, "Name") if action.endswith("Rule") else [])
    if not rule:
        return None
    return (f"{here}:rule/{rule[0]}" if bus == _DEFAULT_BUS else f"{here}:rule/{bus}/{rule[0]}",)


def _ec2(action: str, parameters: Mapping[str, Any], account_id: str, region: str) -> tuple[str, ...] | None:
    if action == "ec2:DisassociateRouteTable":
        return _association(str(parameters.get("AssociationId")), account_id, region)
    if action not in ("ec2:CreateTags", "ec2:DeleteTags"):
        return None
    ids = _at(parameters, "Resources") or _at(parameters, "ResourceId")
    kinds = [(_EC2_TAGGED.get(each.partition("-")[0], "*"), each) for each in ids]
    return tuple(f"arn:aws:ec2:{region}:{account_id}:{kind}/{each}" for kind, each in kinds) or None


def _association(association: str, account_id: str, region: str) -> tuple[str, ...] | None:
    """The route table and the subnet that an association joins: the call names neither."""
    here = f"arn:aws:ec2:{region}:{account_id}"
    for table in list(ec2_backends[account_id][region].route_tables.values()):
        for each in table.associations:
            if each["RouteTableAssociationId"] == association:
                subnets = [f"{here}:subnet/{each['SubnetId']}"] if "SubnetId" in each else []
                return (f"{here}:route-table/{table.id}", *subnets)
    return None


def _glue(action: str, parameters: Mapping[str, Any], account_id: str, region: str) -> tuple[str, ...] | None:
    """`Name` is the table of a call that names a database too, and the database of one that does not."""
    here = f"arn:aws:glue:{region}:{account_id}"
    database = parameters.get("DatabaseName")
    if database is None or not any(kind == "table" for kind, _, _ in resource_types(action)):
        return None
    table = (_at(parameters, "TableName") or _at(parameters, "TableInput.Name") or _at(parameters, "Name") or ["*"])[0]
    return f"{here}:catalog", f"{here}:database/{database}", f"{here}:table/{database}/{table}"


def _sagemaker(action: str, parameters: Mapping[str, Any], account_id: str, region: str) -> tuple[str, ...] | None:
    """A package of a group is `<group>/<version>`; a new one has no version yet."""
    del action
    group = parameters.get("ModelPackageGroupName")
    if group is None or str(group).startswith("arn:"):
        return None
    return (f"arn:aws:sagemaker:{region}:{account_id}:model-package-group/{group}",)


def _secretsmanager(action: str, parameters: Mapping[str, Any], account_id: str, region: str) -> tuple[str, ...] | None:
    """The ARN of a secret ends in six random characters; a new one's are yet to come."""
    del action
    name = (_at(parameters, "SecretId") or _at(parameters, "Name") or [""])[0]
    if not name or name.startswith("arn:"):
        return None
    secrets = secretsmanager_backends[account_id][region].secrets
    secret = secrets.get(name) if name in secrets else None
    return (str(secret.arn) if secret else f"arn:aws:secretsmanager:{region}:{account_id}:secret:{name}-000000",)


def _athena(action: str, parameters: Mapping[str, Any], account_id: str, region: str) -> tuple[str, ...] | None:
    """A named query belongs to a workgroup, on which it is checked."""
    del action
    queries = athena_backends[account_id][region].named_queries
    query = queries.get(str(parameters.get("NamedQueryId")))
    return None if query is None else (f"arn:aws:athena:{region}:{account_id}:workgroup/{query.workgroup.name}",)


_SPECIAL: Final = {
    "athena": _athena,
    "ec2": _ec2,
    "events": _events,
    "glue": _glue,
    "iam": _iam,
    "kms": _kms,
    "logs": _logs,
    "sagemaker": _sagemaker,
    "secretsmanager": _secretsmanager,
}
