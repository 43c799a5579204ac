"""CloudWatch: metric alarms and dashboards."""

from typing import Any

from rehearsal.provider.handler import AutoName, AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.service import ServiceHandler, changed
from rehearsal.provider.shapes import Spelling, listed
from rehearsal.provider.tagging import CLOUDWATCH


def _pairs(dimensions: dict[str, str] | None) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in sorted((dimensions or {}).items())]


def _map(dimensions: list[dict[str, str]] | None) -> dict[str, str]:
    return {pair["Name"]: pair["Value"] for pair in dimensions or []}


def _query_to_aws(query: Properties) -> dict[str, Any]:
    names = {"id": "Id", "expression": "Expression", "label": "Label", "period": "Period", "accountId": "AccountId"}
    request: dict[str, Any] = {aws_name: query[name] for name, aws_name in names.items() if query.get(name)}
    if query.get("returnData") is not None:
        request["ReturnData"] = query["returnData"]
    if metric := query.get("metric"):
        measured = {"Namespace": metric.get("namespace"), "MetricName": metric["metricName"]}
        request["MetricStat"] = {
            "Metric": {**measured, "Dimensions": _pairs(metric.get("dimensions"))},
            "Period": int(metric["period"]),
            "Stat": metric["stat"],
        }
        if metric.get("unit"):
            request["MetricStat"]["Unit"] = metric["unit"]
    return request


def _query_from_aws(query: dict[str, Any]) -> Properties:
    names = {"Id": "id", "Expression": "expression", "Label": "label", "Period": "period", "AccountId": "accountId"}
    properties: Properties = {name: query[aws_name] for aws_name, name in names.items() if query.get(aws_name)}
    properties["returnData"] = bool(query.get("ReturnData", False))
    if statistic := query.get("MetricStat"):
        metric = statistic["Metric"]
        properties["metric"] = {
            "namespace": metric.get("Namespace"),
            "metricName": metric.get("MetricName"),
            "dimensions": _map(metric.get("Dimensions")),
            "period": statistic.get("Period"),
            "stat": statistic.get("Stat"),
            **({"unit": statistic["Unit"]} if statistic.get("Unit") else {}),
        }
    return properties


class MetricAlarm(ServiceHandler):
    """An alarm on one metric or on an expression; its id is its name."""

    token = "aws:cloudwatch/metricAlarm:MetricAlarm"
    service = "cloudwatch"
    autoname = AutoName(name_property="name")
    replace_on = frozenset({"name", "region"})
    taggable = True
    tag_calls = CLOUDWATCH
    spelling = Spelling(
        names={
            "name": "AlarmName",
            "arn": "AlarmArn",
            "evaluateLowSampleCountPercentiles": "EvaluateLowSampleCountPercentile",
        }
    )
    not_shown = (
        "alarms over the metrics of endpoints are evaluated and tell their topics; others keep their first state."
    )

    def _put(self, aws: AwsClients, properties: Properties, tags: dict[str, Any]) -> None:
        request = self.params(aws, "PutMetricAlarm", properties, without={"dimensions", "metricQueries", "arn"})
        if properties.get("dimensions"):
            request["Dimensions"] = _pairs(properties["dimensions"])
        if queries := properties.get("metricQueries"):
            request["Metrics"] = [_query_to_aws(query) for query in queries]
        self.send(aws, "PutMetricAlarm", {**request, **tags})

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        self._put(aws, inputs, self.tagged(inputs))
        return self.created(aws, inputs["name"], inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        alarms = self.send(aws, "DescribeAlarms", {"AlarmNames": [resource_id]})["MetricAlarms"]
        if not alarms:
            return None
        alarm: dict[str, Any] = alarms[0]
        plain = {name: value for name, value in alarm.items() if name not in {"Dimensions", "Metrics"}}
        outputs = self.answered(aws, "DescribeAlarms", {"MetricAlarms": [plain]})["metricAlarms"][0]
        unwanted = ("stateValue", "stateReason", "stateReasonData", "stateUpdatedTimestamp")
        for name in (*unwanted, "alarmConfigurationUpdatedTimestamp", "stateTransitionedTimestamp"):
            outputs.pop(name, None)
        outputs["dimensions"] = _map(alarm.get("Dimensions"))
        outputs["metricQueries"] = [_query_from_aws(query) for query in listed(alarm.get("Metrics"))]
        return self.outputs(aws, state, outputs, arn=outputs["arn"])

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        if changed(olds, news):
            self._put(aws, news, {})
        self.retag(aws, olds, news, self.present(aws, resource_id, news)["arn"])
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteAlarms", {"AlarmNames": [resource_id]})


class Dashboard(ServiceHandler):
    """A dashboard; its id is its name."""

    token = "aws:cloudwatch/dashboard:Dashboard"
    service = "cloudwatch"
    replace_on = frozenset({"dashboardName", "region"})
    not_shown = "a dashboard is kept; there is nothing to look at it with."

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        return Created(id=inputs["dashboardName"], outputs=self.update(aws, inputs["dashboardName"], {}, inputs))

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "GetDashboard", {"DashboardName": resource_id})
        return None if answer is None else self.outputs(aws, state, self.answered(aws, "GetDashboard", answer))

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        self.send(aws, "PutDashboard", self.params(aws, "PutDashboard", news, without={"dashboardArn"}))
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteDashboards", {"DashboardNames": [resource_id]})


HANDLERS: tuple[ResourceHandler, ...] = (MetricAlarm(), Dashboard())
