"""VPC, subnets and route tables."""

from collections.abc import Mapping
from typing import Any

from rehearsal.provider.ec2 import Ec2Handler
from rehearsal.provider.handler import AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.items import items


class Vpc(Ec2Handler):
    """A VPC; its main route table, network ACL and default security group come with it."""

    token = "aws:ec2/vpc:Vpc"
    replace_on = frozenset({"cidrBlock", "region"})
    kind, listing, ids, listed = "vpc", "DescribeVpcs", "VpcIds", "Vpcs"

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        request = {"CidrBlock": inputs["cidrBlock"], **self.tagged(inputs)}
        if "instanceTenancy" in inputs:
            request["InstanceTenancy"] = inputs["instanceTenancy"]
        vpc_id = self.send(aws, "CreateVpc", request)["Vpc"]["VpcId"]
        self._switch(aws, vpc_id, inputs)
        return self.kept(aws, vpc_id, inputs)

    def _switch(self, aws: AwsClients, vpc_id: str, inputs: Properties) -> None:
        for name in ("enableDnsSupport", "enableDnsHostnames"):
            if name in inputs:
                member = name[0].upper() + name[1:]
                self.send(aws, "ModifyVpcAttribute", {"VpcId": vpc_id, member: {"Value": inputs[name]}})

    def described(self, aws: AwsClients, resource_id: str, found: Mapping[str, Any], state: Properties) -> Properties:
        outputs: Properties = {
            "cidrBlock": found["CidrBlock"],
            "dhcpOptionsId": found.get("DhcpOptionsId", ""),
            "instanceTenancy": found.get("InstanceTenancy", "default"),
            "ownerId": found.get("OwnerId", aws.account_id),
        }
        for name in ("enableDnsSupport", "enableDnsHostnames"):
            answer = self.send(aws, "DescribeVpcAttribute", {"VpcId": resource_id, "Attribute": name})
            outputs[name] = answer[name[0].upper() + name[1:]]["Value"]
        of_vpc = {"Filters": [{"Name": "vpc-id", "Values": [resource_id]}]}
        groups = self.send(aws, "DescribeSecurityGroups", of_vpc)["SecurityGroups"]
        outputs["defaultSecurityGroupId"] = next((g["GroupId"] for g in groups if g["GroupName"] == "default"), "")
        tables = self.send(aws, "DescribeRouteTables", of_vpc)["RouteTables"]
        main = [t["RouteTableId"] for t in tables if any(a.get("Main") for a in items(t, "Associations"))]
        outputs["mainRouteTableId"] = outputs["defaultRouteTableId"] = main[0] if main else ""
        acls = self.send(aws, "DescribeNetworkAcls", of_vpc)["NetworkAcls"]
        outputs["defaultNetworkAclId"] = next((a["NetworkAclId"] for a in acls if a.get("IsDefault")), "")
        return outputs

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        self._switch(aws, resource_id, news)
        self.retag(aws, olds, news, resource_id)
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteVpc", {"VpcId": resource_id})


class Subnet(Ec2Handler):
    """A subnet of one availability zone."""

    token = "aws:ec2/subnet:Subnet"
    replace_on = frozenset({"vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId", "region"})
    delete_before_replace = True
    kind, listing, ids, listed = "subnet", "DescribeSubnets", "SubnetIds", "Subnets"

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        request = self.params(aws, "CreateSubnet", inputs, without={"mapPublicIpOnLaunch"})
        subnet_id = self.send(aws, "CreateSubnet", {**request, **self.tagged(inputs)})["Subnet"]["SubnetId"]
        self._expose(aws, subnet_id, inputs)
        return self.kept(aws, subnet_id, inputs)

    def _expose(self, aws: AwsClients, subnet_id: str, inputs: Properties) -> None:
        exposed = {"Value": bool(inputs.get("mapPublicIpOnLaunch"))}
        self.send(aws, "ModifySubnetAttribute", {"SubnetId": subnet_id, "MapPublicIpOnLaunch": exposed})

    def described(self, aws: AwsClients, resource_id: str, found: Mapping[str, Any], state: Properties) -> Properties:
        return {
            "vpcId": found["VpcId"],
            "cidrBlock": found["CidrBlock"],
            "availabilityZone": found["AvailabilityZone"],
            "availabilityZoneId": found.get("AvailabilityZoneId", ""),
            "mapPublicIpOnLaunch": found.get("MapPublicIpOnLaunch", False),
        }

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        self._expose(aws, resource_id, news)
        self.retag(aws, olds, news, resource_id)
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteSubnet", {"SubnetId": resource_id})


class RouteTable(Ec2Handler):
    """A route table, with the routes written into it."""

    token = "aws:ec2/routeTable:RouteTable"
    replace_on = frozenset({"vpcId", "region"})
    kind, listing, ids, listed = "route-table", "DescribeRouteTables", "RouteTableIds", "RouteTables"

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        request = {"VpcId": inputs["vpcId"], **self.tagged(inputs)}
        table_id = self.send(aws, "CreateRouteTable", request)["RouteTable"]["RouteTableId"]
        for route in items(inputs, "routes"):
            self._route(aws, "CreateRoute", table_id, route)
        return self.kept(aws, table_id, inputs)

    def _route(self, aws: AwsClients, operation: str, table_id: str, route: Properties) -> None:
        spelt = {"destinationCidrBlock" if key == "cidrBlock" else key: value for key, value in route.items() if value}
        if operation == "DeleteRoute":
            spelt = {"destinationCidrBlock": spelt["destinationCidrBlock"]}
        self.send(aws, operation, {"RouteTableId": table_id, **self.params(aws, operation, spelt)})

    def described(self, aws: AwsClients, resource_id: str, found: Mapping[str, Any], state: Properties) -> Properties:
        declared = [route for route in items(found, "Routes") if route.get("Origin") == "CreateRoute"]
        routes = [
            {
                "cidrBlock": route.get("DestinationCidrBlock", ""),
                "gatewayId": route.get("GatewayId", ""),
                "natGatewayId": route.get("NatGatewayId", ""),
            }
            for route in declared
            if not str(route.get("GatewayId", "")).startswith("vpce-")
        ]
        return {"vpcId": found["VpcId"], "routes": routes, "ownerId": found.get("OwnerId", aws.account_id)}

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        before, after = items(olds, "routes"), items(news, "routes")
        for route in before:
            if route not in after:
                self._route(aws, "DeleteRoute", resource_id, route)
        for route in after:
            if route not in before:
                self._route(aws, "CreateRoute", resource_id, route)
        self.retag(aws, olds, news, resource_id)
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteRouteTable", {"RouteTableId": resource_id})


class RouteTableAssociation(Ec2Handler):
    """A subnet's route table."""

    token = "aws:ec2/routeTableAssociation:RouteTableAssociation"
    taggable = False
    replace_on = frozenset({"subnetId", "gatewayId", "routeTableId", "region"})
    delete_before_replace = True

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        answer = self.send(aws, "AssociateRouteTable", self.params(aws, "AssociateRouteTable", inputs))
        return self.created(aws, answer["AssociationId"], inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        of_association = [{"Name": "association.route-table-association-id", "Values": [resource_id]}]
        tables = self.send(aws, "DescribeRouteTables", {"Filters": of_association})["RouteTables"]
        for table in tables:
            for association in items(table, "Associations"):
                if association["RouteTableAssociationId"] == resource_id:
                    return {"routeTableId": table["RouteTableId"], "subnetId": association.get("SubnetId", "")}
        return None

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DisassociateRouteTable", {"AssociationId": resource_id})


HANDLERS: tuple[ResourceHandler, ...] = (Vpc(), Subnet(), RouteTable(), RouteTableAssociation())
