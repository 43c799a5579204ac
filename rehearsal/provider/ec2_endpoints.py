"""Flow logs and VPC endpoints."""

import json
from collections.abc import Mapping
from typing import Any

from rehearsal.provider.ec2 import Ec2Handler
from rehearsal.provider.handler import AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.items import items
from rehearsal.provider.service import changed


class FlowLog(Ec2Handler):
    """What the network's traffic is recorded to; nothing of it can be changed in place but tags."""

    token = "aws:ec2/flowLog:FlowLog"
    kind, listing, ids, listed = "vpc-flow-log", "DescribeFlowLogs", "FlowLogIds", "FlowLogs"
    not_shown = "moto records no traffic."
    replace_on = frozenset(
        {
            "vpcId",
            "subnetId",
            "eniId",
            "iamRoleArn",
            "logDestination",
            "logDestinationType",
            "logFormat",
            "maxAggregationInterval",
            "trafficType",
            "destinationOptions",
            "region",
        }
    )

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        kinds = {"vpcId": "VPC", "subnetId": "Subnet", "eniId": "NetworkInterface"}
        observed = next(key for key in kinds if key in inputs)
        request = self.params(aws, "CreateFlowLogs", inputs, without={*kinds, "iamRoleArn"})
        if "iamRoleArn" in inputs:
            request["DeliverLogsPermissionArn"] = inputs["iamRoleArn"]
        request |= {"ResourceIds": [inputs[observed]], "ResourceType": kinds[observed], **self.tagged(inputs)}
        answer = self.send(aws, "CreateFlowLogs", request)
        if answer.get("Unsuccessful"):
            raise FlowLogRefusedError(answer["Unsuccessful"][0].get("Error", {}).get("Message", ""))
        return self.kept(aws, answer["FlowLogIds"][0], inputs)

    def described(self, aws: AwsClients, resource_id: str, found: Mapping[str, Any], state: Properties) -> Properties:
        observed = str(found["ResourceId"])
        key = {"vpc": "vpcId", "sub": "subnetId", "eni": "eniId"}[observed[:3]]
        return {
            key: observed,
            "trafficType": found.get("TrafficType", "ALL"),
            "logDestination": found.get("LogDestination", state.get("logDestination")),
            "logDestinationType": found.get("LogDestinationType", "cloud-watch-logs"),
            "iamRoleArn": found.get("DeliverLogsPermissionArn"),
            "maxAggregationInterval": found.get("MaxAggregationInterval", 600),
        }

    def found(self, aws: AwsClients, resource_id: str) -> dict[str, Any] | None:
        answer = self.send(aws, self.listing, {"FlowLogIds": [resource_id]})
        return answer["FlowLogs"][0] if answer["FlowLogs"] else None

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        if changed(olds, news):
            return super().update(aws, resource_id, olds, news)
        self.retag(aws, olds, news, resource_id)
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteFlowLogs", {"FlowLogIds": [resource_id]})


class FlowLogRefusedError(Exception):
    """CreateFlowLogs answered 200 and refused the flow log all the same."""


class VpcEndpoint(Ec2Handler):
    """A gateway or interface endpoint with its policy."""

    token = "aws:ec2/vpcEndpoint:VpcEndpoint"
    replace_on = frozenset({"vpcId", "serviceName", "vpcEndpointType", "region"})
    kind, listing, ids, listed = "vpc-endpoint", "DescribeVpcEndpoints", "VpcEndpointIds", "VpcEndpoints"
    not_shown = "No packet passes: private DNS, routes and the endpoint policy are declared, not enforced."

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        request = self.params(aws, "CreateVpcEndpoint", inputs, without={"policy", "autoAccept"})
        if "policy" in inputs:
            request["PolicyDocument"] = inputs["policy"]
        answer = self.send(aws, "CreateVpcEndpoint", {**request, **self.tagged(inputs)})
        return self.kept(aws, answer["VpcEndpoint"]["VpcEndpointId"], inputs)

    def described(self, aws: AwsClients, resource_id: str, found: Mapping[str, Any], state: Properties) -> Properties:
        prefix_lists = self.send(
            aws,
            "DescribePrefixLists",
            {"Filters": [{"Name": "prefix-list-name", "Values": [found["ServiceName"]]}]},
        )["PrefixLists"]
        return {
            "vpcId": found["VpcId"],
            "serviceName": found["ServiceName"],
            "vpcEndpointType": found.get("VpcEndpointType", "Gateway"),
            "policy": _as_declared(found.get("PolicyDocument"), state.get("policy")),
            "routeTableIds": items(found, "RouteTableIds"),
            "subnetIds": items(found, "SubnetIds"),
            "securityGroupIds": [group["GroupId"] for group in items(found, "Groups")],
            "networkInterfaceIds": items(found, "NetworkInterfaceIds"),
            "privateDnsEnabled": bool(found.get("PrivateDnsEnabled")),
            "dnsEntries": [
                {"dnsName": entry.get("DnsName", ""), "hostedZoneId": entry.get("HostedZoneId", "")}
                for entry in items(found, "DnsEntries")
            ],
            "state": found.get("State", "available"),
            "prefixListId": prefix_lists[0]["PrefixListId"] if prefix_lists else "",
            "cidrBlocks": prefix_lists[0].get("Cidrs", []) if prefix_lists else [],
        }

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        request: dict[str, Any] = {"VpcEndpointId": resource_id}
        for name, member in _ENDPOINT_LISTS.items():
            before, after = set(items(olds, name)), set(items(news, name))
            request |= {f"Add{member}": sorted(after - before), f"Remove{member}": sorted(before - after)}
        if olds.get("policy") != news.get("policy"):
            request |= {"PolicyDocument": news["policy"]} if "policy" in news else {"ResetPolicy": True}
        if "privateDnsEnabled" in news:
            request["PrivateDnsEnabled"] = news["privateDnsEnabled"]
        self.send(aws, "ModifyVpcEndpoint", {key: value for key, value in request.items() if value != []})
        self.retag(aws, olds, news, resource_id)
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteVpcEndpoints", {"VpcEndpointIds": [resource_id]})


_ENDPOINT_LISTS = {"routeTableIds": "RouteTableIds", "subnetIds": "SubnetIds", "securityGroupIds": "SecurityGroupIds"}


def _as_declared(found: Any, declared: Any) -> Any:
    """The policy as the program wrote it where AWS holds the same, else as AWS writes it."""
    if isinstance(found, str) and isinstance(declared, str) and json.loads(found) == json.loads(declared):
        return declared
    return found


HANDLERS: tuple[ResourceHandler, ...] = (FlowLog(), VpcEndpoint())
