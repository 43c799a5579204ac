"""The few data sources a program may ask for, answered by AWS itself."""

from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.provider.handler import AwsClients, Properties


class UnknownInvokeError(Exception):
    """The program asks for a data source the rehearsal does not have."""

    def __init__(self, token: str) -> None:
        super().__init__(f"the rehearsal has no {token}; it knows {', '.join(sorted(_INVOKES))}")


def invoke(aws: AwsClients, token: str, args: Properties) -> Properties:
    """The answer of the data source `token`; raises UnknownInvokeError."""
    if token not in _INVOKES:
        raise UnknownInvokeError(token)
    return _INVOKES[token](aws, args)


def _caller_identity(aws: AwsClients, args: Properties) -> Properties:  # noqa: ARG001
    caller = aws.client("sts").get_caller_identity()
    account = caller["Account"]
    return {"accountId": account, "arn": caller["Arn"], "id": account, "userId": caller["UserId"]}


def _region(aws: AwsClients, args: Properties) -> Properties:
    region = str(args.get("region") or args.get("name") or aws.region)
    return {
        "id": region,
        "name": region,
        "region": region,
        "description": region,
        "endpoint": f"ec2.{region}.amazonaws.com",
    }


def _partition(aws: AwsClients, args: Properties) -> Properties:  # noqa: ARG001
    return {
        "id": "aws",
        "partition": "aws",
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
    }


def _availability_zones(aws: AwsClients, args: Properties) -> Properties:  # noqa: ARG001
    zones = aws.client("ec2").describe_availability_zones()["AvailabilityZones"]
    return {
        "id": aws.region,
        "names": sorted(zone["ZoneName"] for zone in zones),
        "zoneIds": [zone["ZoneId"] for zone in zones],
        "groupNames": [aws.region],
    }


_INVOKES: Mapping[str, Callable[[AwsClients, Properties], dict[str, Any]]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": _caller_identity,
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getPartition:getPartition": _partition,
    "aws:index/getAvailabilityZones:getAvailabilityZones": _availability_zones,
}
