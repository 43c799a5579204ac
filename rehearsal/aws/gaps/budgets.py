"""Budgets: UpdateBudget, DescribeSubscribersForNotification and tags."""

import json
from typing import Any, cast

from moto.budgets.exceptions import NotFoundException
from moto.budgets.responses import BudgetsResponse

from rehearsal.aws.gaps import replace

_create = BudgetsResponse.create_budget
_KEY = ("NotificationType", "ComparisonOperator", "Threshold")
_TAGS = "rehearsal_tags"


def _request(self: BudgetsResponse) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(self.body))


def _budget(self: BudgetsResponse, account: str, name: str) -> Any:
    budgets = cast("dict[str, dict[str, Any]]", self.backend.budgets)
    try:
        return budgets[account][name]
    except KeyError:
        raise NotFoundException(f"Unable to get budget: {name} - the budget doesn't exist.") from None


def _by_arn(self: BudgetsResponse, arn: str) -> Any:
    account, name = arn.split(":")[4], arn.split(":budget/", 1)[-1]
    return _budget(self, account, name)


def _create_budget(self: BudgetsResponse) -> str:
    answer = _create(self)
    request = _request(self)
    budget = _budget(self, request["AccountId"], request["Budget"]["BudgetName"])
    setattr(budget, _TAGS, {tag["Key"]: tag["Value"] for tag in request.get("ResourceTags", [])})
    return answer


def _update_budget(self: BudgetsResponse) -> str:
    request = _request(self)
    new = cast("dict[str, Any]", request["NewBudget"])
    budget = _budget(self, request["AccountId"], new["BudgetName"])
    budget.budget = {"TimePeriod": budget.budget["TimePeriod"], **new}
    return "{}"


def _describe_subscribers(self: BudgetsResponse) -> str:
    request = _request(self)
    wanted = [request["Notification"].get(name) for name in _KEY]
    for notification in _budget(self, request["AccountId"], request["BudgetName"]).notifications:
        if [notification.details.get(name) for name in _KEY] == wanted:
            return json.dumps({"Subscribers": notification.subscribers})
    raise NotFoundException("Unable to find the notification.")


def _list_tags(self: BudgetsResponse) -> str:
    tags: dict[str, str] = getattr(_by_arn(self, _request(self)["ResourceARN"]), _TAGS, {})
    return json.dumps({"ResourceTags": [{"Key": name, "Value": value} for name, value in tags.items()]})


def _tag(self: BudgetsResponse) -> str:
    request = _request(self)
    budget = _by_arn(self, request["ResourceARN"])
    new = {tag["Key"]: tag["Value"] for tag in request["ResourceTags"]}
    setattr(budget, _TAGS, {**getattr(budget, _TAGS, {}), **new})
    return "{}"


def _untag(self: BudgetsResponse) -> str:
    request = _request(self)
    budget = _by_arn(self, request["ResourceARN"])
    tags: dict[str, str] = getattr(budget, _TAGS, {})
    setattr(budget, _TAGS, {name: tags[name] for name in tags if name not in request["ResourceTagKeys"]})
    return "{}"


def install() -> None:
    """Add the calls to moto's Budgets."""
    replace(
        BudgetsResponse,
        create_budget=_create_budget,
        update_budget=_update_budget,
        describe_subscribers_for_notification=_describe_subscribers,
        list_tags_for_resource=_list_tags,
        tag_resource=_tag,
        untag_resource=_untag,
    )
