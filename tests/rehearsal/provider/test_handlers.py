"""The types of EC2, IAM, KMS, SQS and SNS on a real moto server: made, read back, changed, read back, gone."""

import json
import sys
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from handling import LIST, READ, RETAGGED, TAGS, TRUST, Make, changed, holds

from rehearsal.provider import lifecycle
from rehearsal.provider.aws_clients import EnvironmentClients
from rehearsal.provider.iam import policy_text
from rehearsal.provider.registry import handler_of, handlers


def test_vpc_subnet_and_routes(aws: EnvironmentClients, made: Make) -> None:
    vpc_inputs = {"cidrBlock": "10.9.0.0/16", "enableDnsSupport": True, "enableDnsHostnames": True, **TAGS}
    vpc_id, vpc = made("aws:ec2/vpc:Vpc", vpc_inputs)
    assert holds(vpc, vpc_inputs)
    assert vpc["arn"].endswith(f":vpc/{vpc_id}")
    for key in ("defaultSecurityGroupId", "mainRouteTableId", "defaultNetworkAclId"):
        assert vpc[key]
    news = {**vpc_inputs, **RETAGGED, "enableDnsHostnames": False}
    assert holds(changed(aws, "aws:ec2/vpc:Vpc", vpc_id, vpc_inputs, news), news)

    subnet_inputs = {"vpcId": vpc_id, "cidrBlock": "10.9.0.0/20", "availabilityZone": "eu-west-1a", **TAGS}
    subnet_id, subnet = made("aws:ec2/subnet:Subnet", subnet_inputs)
    assert holds(subnet, {**subnet_inputs, "mapPublicIpOnLaunch": False})
    table_id, table = made("aws:ec2/routeTable:RouteTable", {"vpcId": vpc_id, **TAGS})
    assert (table["routes"], table["tagsAll"]) == ([], TAGS["tagsAll"])
    _, association = made(
        "aws:ec2/routeTableAssociation:RouteTableAssociation", {"subnetId": subnet_id, "routeTableId": table_id}
    )
    assert holds(association, {"subnetId": subnet_id, "routeTableId": table_id})


def test_security_groups_and_their_rules(aws: EnvironmentClients, made: Make) -> None:
    vpc_id, vpc = made("aws:ec2/vpc:Vpc", {"cidrBlock": "10.8.0.0/16"})
    default_id, default = made(
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", {"vpcId": vpc_id, "ingress": [], "egress": [], **TAGS}
    )
    assert default_id == vpc["defaultSecurityGroupId"]
    assert (default["ingress"], default["egress"], default["tags"]) == ([], [], {"a": "1"})

    group = "aws:ec2/securityGroup:SecurityGroup"
    inputs = {"name": "jobs", "description": "Jobs", "vpcId": vpc_id, **TAGS}
    group_id, outputs = made(group, inputs)
    assert holds(outputs, inputs)
    found = aws.client("ec2").describe_security_groups(GroupIds=[group_id])["SecurityGroups"][0]
    assert found["IpPermissionsEgress"] == []

    rule = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    rule_inputs = {
        "securityGroupId": group_id,
        "referencedSecurityGroupId": group_id,
        "ipProtocol": "tcp",
        "fromPort": 443,
        "toPort": 443,
        "description": "Among jobs",
        **TAGS,
    }
    _, rule_outputs = made(rule, rule_inputs)
    assert holds(rule_outputs, rule_inputs)
    _, out = made(
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        {"securityGroupId": group_id, "cidrIpv4": "10.8.0.0/16", "ipProtocol": "-1"},
    )
    assert (out["cidrIpv4"], out["ipProtocol"]) == ("10.8.0.0/16", "-1")
    assert "fromPort" not in out


def test_rules_written_into_a_group_are_set_as_a_whole(aws: EnvironmentClients, made: Make) -> None:
    vpc_id, _ = made("aws:ec2/vpc:Vpc", {"cidrBlock": "10.7.0.0/16"})
    token = "aws:ec2/securityGroup:SecurityGroup"
    rule = {"protocol": "tcp", "fromPort": 80, "toPort": 80, "cidrBlocks": ["10.7.0.0/16"]}
    inputs = {"name": "web", "description": "d", "vpcId": vpc_id, "ingress": [rule]}
    group_id, outputs = made(token, inputs)
    assert outputs["ingress"][0]["cidrBlocks"] == ["10.7.0.0/16"]
    news = {**inputs, "ingress": [{**rule, "fromPort": 443, "toPort": 443}]}
    assert [each["fromPort"] for each in changed(aws, token, group_id, inputs, news)["ingress"]] == [443]


def test_flow_logs_and_endpoints(aws: EnvironmentClients, made: Make) -> None:
    vpc_id, _ = made("aws:ec2/vpc:Vpc", {"cidrBlock": "10.6.0.0/16"})
    table_id, _ = made("aws:ec2/routeTable:RouteTable", {"vpcId": vpc_id})
    _, role = made("aws:iam/role:Role", {"name": "flow", "assumeRolePolicy": TRUST})
    log_inputs = {
        "vpcId": vpc_id,
        "trafficType": "ALL",
        "iamRoleArn": role["arn"],
        "logDestination": f"arn:aws:logs:eu-west-1:{aws.account_id}:log-group:flow",
        "maxAggregationInterval": 60,
        **TAGS,
    }
    _, log = made("aws:ec2/flowLog:FlowLog", log_inputs)
    assert holds(log, {key: log_inputs[key] for key in ("vpcId", "trafficType", "maxAggregationInterval", "tags")})

    token = "aws:ec2/vpcEndpoint:VpcEndpoint"
    inputs = {
        "vpcId": vpc_id,
        "serviceName": "com.amazonaws.eu-west-1.s3",
        "vpcEndpointType": "Gateway",
        "routeTableIds": [table_id],
        "policy": READ,
        **TAGS,
    }
    endpoint_id, endpoint = made(token, inputs)
    assert holds(endpoint, inputs)
    assert endpoint["prefixListId"].startswith("pl-")
    news = {**inputs, "policy": LIST, **RETAGGED}
    assert holds(changed(aws, token, endpoint_id, inputs, news), news)


def test_roles_and_policies(aws: EnvironmentClients, made: Make) -> None:
    token = "aws:iam/role:Role"
    inputs = {"name": "train", "assumeRolePolicy": TRUST, "description": "Trains", "maxSessionDuration": 3600, **TAGS}
    name, role = made(token, inputs)
    assert holds(role, inputs)
    assert role["arn"] == f"arn:aws:iam::{aws.account_id}:role/train"
    news = {**inputs, "description": "Fits", "assumeRolePolicy": TRUST.replace("glue", "sagemaker"), **RETAGGED}
    assert holds(changed(aws, token, name, inputs, news), news)

    policy = "aws:iam/rolePolicy:RolePolicy"
    before = {"role": name, "name": "may", "policy": READ}
    policy_id, outputs = made(policy, before)
    assert policy_id == "train:may"
    assert holds(outputs, before)
    assert holds(changed(aws, policy, policy_id, before, {**before, "policy": LIST}), {"policy": LIST})


def test_keys_and_aliases(aws: EnvironmentClients, made: Make) -> None:
    token = "aws:kms/key:Key"
    inputs = {"description": "Data", "enableKeyRotation": True, "deletionWindowInDays": 7, **TAGS}
    key_id, key = made(token, inputs)
    assert holds(key, inputs)
    assert key["arn"].endswith(key_id)
    news = {**inputs, "description": "Logs", "enableKeyRotation": False, **RETAGGED}
    assert holds(changed(aws, token, key_id, inputs, news), news)
    other, _ = made(token, {"description": "Other", "deletionWindowInDays": 7})
    alias = "aws:kms/alias:Alias"
    before = {"name": "alias/drivetrain-data", "targetKeyId": key_id}
    alias_id, outputs = made(alias, before)
    assert holds(outputs, before)
    assert changed(aws, alias, alias_id, before, {**before, "targetKeyId": other})["targetKeyId"] == other
    lifecycle.delete(handler_of(token), aws, key_id, key)
    assert handler_of(token).read(aws, key_id, key) is None


def test_queues_and_topics(aws: EnvironmentClients, made: Make) -> None:
    queue = "aws:sqs/queue:Queue"
    inputs = {"name": "dead", "messageRetentionSeconds": 1209600, "kmsMasterKeyId": "alias/aws/sqs", **TAGS}
    url, outputs = made(queue, inputs)
    assert holds(outputs, {**inputs, "url": url})
    news = {**inputs, "messageRetentionSeconds": 600, **RETAGGED}
    assert holds(changed(aws, queue, url, inputs, news), news)
    made("aws:sqs/queuePolicy:QueuePolicy", {"queueUrl": url, "policy": READ})

    topic = "aws:sns/topic:Topic"
    topic_inputs = {"name": "alarms", "kmsMasterKeyId": "alias/aws/sns", "displayName": "Alarms", **TAGS}
    arn, told = made(topic, topic_inputs)
    assert holds(told, topic_inputs)
    topic_news = {**topic_inputs, "displayName": "All alarms", **RETAGGED}
    assert holds(changed(aws, topic, arn, topic_inputs, topic_news), topic_news)
    policy = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Sid": "P", "Effect": "Allow", "Principal": "*", "Action": "SNS:Publish", "Resource": arn}],
        }
    )
    _, held = made("aws:sns/topicPolicy:TopicPolicy", {"arn": arn, "policy": policy})
    assert held["policy"] == policy
    subscription = {"topic": arn, "protocol": "sqs", "endpoint": outputs["arn"]}
    _, subscribed = made("aws:sns/topicSubscription:TopicSubscription", subscription)
    assert holds(subscribed, subscription)


def test_every_type_is_served_once_and_says_what_it_is() -> None:
    for token, handler in handlers().items():
        assert token == handler.token
        assert token.startswith("aws:")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text(), st.lists(st.text())))
def test_a_policy_reads_back_as_it_was_written(document: dict[str, Any]) -> None:
    written = json.dumps(document, indent=3)
    assert policy_text(json.dumps(document), written) == written
    assert json.loads(policy_text({**document, "Sid": "x"}, written)) == {**document, "Sid": "x"}
