"""Budgets: what a month may cost, and who is told when it costs more. The id is `<account>:<name>`."""

from datetime import UTC, datetime
from typing import Any

from rehearsal.provider.handler import AutoName, AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.service import ServiceHandler, changed
from rehearsal.provider.shapes import listed, mapped
from rehearsal.provider.tagging import BUDGETS

_TIME = "%Y-%m-%d_%H:%M"
_NOTIFICATION = {
    "comparisonOperator": "ComparisonOperator",
    "notificationType": "NotificationType",
    "threshold": "Threshold",
    "thresholdType": "ThresholdType",
}
_SUBSCRIBERS = {"subscriberEmailAddresses": "EMAIL", "subscriberSnsTopicArns": "SNS"}
_APART = frozenset(
    {
        *("accountId", "arn", "name", "limitAmount", "limitUnit", "notifications", "plannedLimits"),
        *("timePeriodStart", "timePeriodEnd", "costFilters", "tags", "tagsAll"),
    }
)


class Budget(ServiceHandler):
    """A budget with its notifications, which AWS keeps as resources of their own."""

    token = "aws:budgets/budget:Budget"
    service = "budgets"
    autoname = AutoName(name_property="name", max_length=100)
    replace_on = frozenset({"name", "namePrefix", "accountId"})
    taggable = True
    tag_calls = BUDGETS
    not_shown = "nothing is spent, so nobody is told."

    def _budget(self, aws: AwsClients, properties: Properties) -> dict[str, Any]:
        budget = self.params(aws, "CreateBudget", properties, without=_APART, member="Budget")
        budget["BudgetName"] = properties["name"]
        if amount := properties.get("limitAmount"):
            budget["BudgetLimit"] = {"Amount": str(amount), "Unit": properties.get("limitUnit", "USD")}
        if filters := properties.get("costFilters"):
            budget["CostFilters"] = {entry["name"]: entry["values"] for entry in filters}
        if planned := properties.get("plannedLimits"):
            budget["PlannedBudgetLimits"] = {
                str(int(_moment(limit["startTime"]).timestamp())): {"Amount": limit["amount"], "Unit": limit["unit"]}
                for limit in planned
            }
        period = {"Start": properties.get("timePeriodStart"), "End": properties.get("timePeriodEnd")}
        if known := {name: _moment(text) for name, text in period.items() if text}:
            budget["TimePeriod"] = known
        return budget

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        account = inputs.get("accountId") or aws.account_id
        request = {"AccountId": account, "Budget": self._budget(aws, inputs)}
        self.send(aws, "CreateBudget", {**request, **self.tagged(inputs, "ResourceTags")})
        for notification in listed(inputs.get("notifications")):
            self._notify(aws, account, inputs["name"], notification)
        return self.created(aws, f"{account}:{inputs['name']}", inputs)

    def _notify(self, aws: AwsClients, account: str, name: str, notification: Properties) -> None:
        request = {"AccountId": account, "BudgetName": name, "Notification": _told(notification)}
        self.send(aws, "CreateNotification", {**request, "Subscribers": _subscribers(notification)})

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        account, name = resource_id.split(":", 1)
        where = {"AccountId": account, "BudgetName": name}
        answer = self.ask(aws, "DescribeBudget", where)
        if answer is None:
            return None
        budget: dict[str, Any] = answer["Budget"]
        outputs: Properties = {"accountId": account, "name": name}
        outputs |= {"budgetType": budget["BudgetType"], "timeUnit": budget["TimeUnit"]}
        if limit := budget.get("BudgetLimit"):
            outputs |= {"limitAmount": limit["Amount"], "limitUnit": limit["Unit"]}
        if period := budget.get("TimePeriod"):
            outputs["timePeriodStart"] = period["Start"].astimezone(UTC).strftime(_TIME)
            outputs["timePeriodEnd"] = period["End"].astimezone(UTC).strftime(_TIME)
        filters = mapped(budget.get("CostFilters")).items()
        outputs["costFilters"] = [{"name": key, "values": values} for key, values in filters]
        if types := budget.get("CostTypes"):
            outputs["costTypes"] = {key[0].lower() + key[1:]: value for key, value in types.items()}
        notifications = self.send(aws, "DescribeNotificationsForBudget", where).get("Notifications")
        outputs["notifications"] = [self._notification(aws, where, entry) for entry in listed(notifications)]
        return self.outputs(aws, state, outputs, arn=f"arn:aws:budgets::{account}:budget/{name}")

    def _notification(self, aws: AwsClients, where: dict[str, Any], told: dict[str, Any]) -> Properties:
        key = {name: told[name] for name in _NOTIFICATION.values() if name in told}
        answer = self.send(aws, "DescribeSubscribersForNotification", {**where, "Notification": key})
        properties: Properties = {name: told.get(aws_name) for name, aws_name in _NOTIFICATION.items()}
        for name, kind in _SUBSCRIBERS.items():
            properties[name] = [
                entry["Address"] for entry in answer["Subscribers"] if entry["SubscriptionType"] == kind
            ]
        return properties

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        account, name = resource_id.split(":", 1)
        names = changed(olds, news)
        if names - {"notifications"}:
            self.send(aws, "UpdateBudget", {"AccountId": account, "NewBudget": self._budget(aws, news)})
        if "notifications" in names:
            for notification in listed(olds.get("notifications")):
                gone = {"AccountId": account, "BudgetName": name, "Notification": _told(notification)}
                self.ask(aws, "DeleteNotification", gone)
            for notification in listed(news.get("notifications")):
                self._notify(aws, account, name, notification)
        self.retag(aws, olds, news, f"arn:aws:budgets::{account}:budget/{name}")
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        account, name = resource_id.split(":", 1)
        self.ask(aws, "DeleteBudget", {"AccountId": account, "BudgetName": name})


def _moment(text: str) -> datetime:
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)


def _told(notification: Properties) -> dict[str, Any]:
    told = {aws_name: notification[name] for name, aws_name in _NOTIFICATION.items()}
    return {**told, "Threshold": float(told["Threshold"])}


def _subscribers(notification: Properties) -> list[dict[str, str]]:
    return [
        {"SubscriptionType": kind, "Address": address}
        for name, kind in _SUBSCRIBERS.items()
        for address in listed(notification.get(name))
    ]


HANDLERS: tuple[ResourceHandler, ...] = (Budget(),)
