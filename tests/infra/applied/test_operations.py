"""What runs and what watches it: the pipeline, its events and queues, the alarms."""

from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_the_pipeline_is_traced_and_logged(stack: Any) -> None:
    arn = stack.names.state_machine_arn("auto-mpg")
    machine = stack.client("stepfunctions").describe_state_machine(stateMachineArn=arn)
    assert machine["tracingConfiguration"]["enabled"] is True
    assert machine["loggingConfiguration"]["level"] != "OFF"
    assert "createTrainingJob.sync" in machine["definition"]


def test_every_event_that_cannot_be_delivered_is_kept_encrypted(stack: Any) -> None:
    events, sqs = stack.client("events"), stack.client("sqs")
    rules = [rule["Name"] for rule in events.list_rules()["Rules"] if rule["Name"].startswith(stack.names.prefix)]
    targets = [target for rule in rules for target in events.list_targets_by_rule(Rule=rule)["Targets"]]
    assert targets
    for target in targets:
        assert target["DeadLetterConfig"]["Arn"].startswith("arn:aws:sqs:")
    queues = sqs.list_queues()["QueueUrls"]
    assert queues
    for url in queues:
        held = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert held["KmsMasterKeyId"]
        assert stack.statements(held["Policy"])


def test_alarms_say_what_missing_data_means_and_tell_an_encrypted_topic(stack: Any) -> None:
    alarms = stack.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert alarms
    for alarm in alarms:
        assert alarm["TreatMissingData"] in {"breaching", "notBreaching", "ignore", "missing"}
        assert alarm["AlarmActions"]
    sns = stack.client("sns")
    topics = sns.list_topics()["Topics"]
    assert topics
    for topic in topics:
        assert sns.get_topic_attributes(TopicArn=topic["TopicArn"])["Attributes"]["KmsMasterKeyId"]
