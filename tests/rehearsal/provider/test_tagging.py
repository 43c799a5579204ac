"""Tags are read and written in the spelling of each service."""

import pytest

from rehearsal.provider.aws_clients import EnvironmentClients
from rehearsal.provider.tagging import CLOUDWATCH, GLUE, STATES, all_tags


def test_default_tags_and_own_tags_are_one_set() -> None:
    assert all_tags({"tags": {"a": "1"}, "tagsAll": {"a": "1", "b": "2"}}) == {"a": "1", "b": "2"}
    assert all_tags({"tags": None}) == {}


def test_each_service_spells_tags_its_own_way() -> None:
    tags = {"b": "2", "a": "1"}
    assert GLUE.spelt(tags) == tags
    assert CLOUDWATCH.spelt(tags) == [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    assert STATES.spelt(tags) == [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]


@pytest.mark.parametrize("tags", [{}, {"a": "1"}, {"a": "2", "c": "3"}])
def test_only_what_changed_is_written(aws: EnvironmentClients, tags: dict[str, str]) -> None:
    alarms = aws.client("cloudwatch")
    olds = {"a": "1", "b": "2"}
    alarms.put_metric_alarm(
        AlarmName="tagged",
        MetricName="m",
        Namespace="n",
        Period=60,
        Statistic="Sum",
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        Tags=[{"Key": name, "Value": value} for name, value in olds.items()],
    )
    arn = alarms.describe_alarms(AlarmNames=["tagged"])["MetricAlarms"][0]["AlarmArn"]
    CLOUDWATCH.write(aws, arn, {"tagsAll": olds}, {"tagsAll": tags})
    assert CLOUDWATCH.read(aws, arn) == tags
    alarms.delete_alarms(AlarmNames=["tagged"])
