"""Log groups, the alarm topic, the budget and the dashboard."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infra.components.dashboard import dashboard_body
from infra.components.observability import JOB_LOG_GROUPS
from infra.platform import declare
from infra.settings import load_settings
from models.spec import discover


def test_the_groups_of_the_jobs_are_declared_before_the_services_make_them(declared: Any) -> None:
    groups = declared("production").of("aws:cloudwatch/logGroup:LogGroup")
    declared_groups = {each.inputs["name"]: each.inputs["retentionInDays"] for each in groups}
    assert {name: declared_groups[name] for name in JOB_LOG_GROUPS} == dict.fromkeys(JOB_LOG_GROUPS, 365)


def test_pipelines_deliver_their_logs_for_this_account_only(declared: Any) -> None:
    (policy,) = declared("dev").of("aws:cloudwatch/logResourcePolicy:LogResourcePolicy")
    (delivery,) = policy.policy("policyDocument")["Statement"]
    assert delivery["Resource"].endswith("log-group:/aws/vendedlogs/states/drivetrain-dev-*:*")
    assert delivery["Condition"]["StringEquals"] == {"aws:SourceAccount": "222222222222"}


def test_alarms_and_budgets_publish_to_an_encrypted_topic(declared: Any) -> None:
    program = declared("dev")
    topic = program.one("aws:sns/topic:Topic", "alarms")
    assert topic.inputs["kmsMasterKeyId"] == "arn:aws:made-up:::messages"
    statements = {
        each["Sid"]: each for each in program.one("aws:sns/topicPolicy:TopicPolicy", "alarms").policy()["Statement"]
    }
    assert statements["Publish"]["Condition"] == {"StringEquals": {"aws:SourceAccount": "222222222222"}}
    assert {"cloudwatch.amazonaws.com", "budgets.amazonaws.com"} <= set(statements["Publish"]["Principal"]["Service"])
    assert statements["TlsOnly"]["Effect"] == "Deny"


def test_mail_is_sent_where_an_address_is_set(
    declared: Any, run_program: Callable[..., Any], config: Callable[..., Any]
) -> None:
    assert declared("dev").of("aws:sns/topicSubscription:TopicSubscription") == []
    section = {"log_retention_days": 7, "budget_usd_per_month": 1, "alarm_email": "ops@example.com"}
    program = run_program(declare, config("local", observability=section))
    (subscription,) = program.of("aws:sns/topicSubscription:TopicSubscription")
    assert (subscription.inputs["protocol"], subscription.inputs["endpoint"]) == ("email", "ops@example.com")


def test_the_budget_warns_before_and_when_it_is_spent(declared: Any, project_dir: Path) -> None:
    (budget,) = declared("production").of("aws:budgets/budget:Budget")
    limit = load_settings(project_dir, "production").observability.budget_usd_per_month
    assert (budget.inputs["limitAmount"], budget.inputs["limitUnit"]) == (str(limit), "USD")
    alerts = {(each["notificationType"], each["threshold"]) for each in budget.inputs["notifications"]}
    assert alerts == {("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)}
    assert all(each["subscriberSnsTopicArns"] for each in budget.inputs["notifications"])


def test_the_dashboard_has_a_row_for_every_model(declared: Any, project_dir: Path) -> None:
    (dashboard,) = declared("dev").of("aws:cloudwatch/dashboard:Dashboard")
    assert dashboard.inputs["dashboardName"] == "drivetrain-dev"
    specs = discover(project_dir / "models")
    names = load_settings(project_dir, "dev").names
    body = json.loads(dashboard.inputs["dashboardBody"])
    assert body == dashboard_body(names, specs)
    titles = [each for each in body["widgets"] if each["type"] == "text"]
    assert [each["properties"]["markdown"].splitlines()[0] for each in titles] == [f"## {each.title}" for each in specs]


def test_widgets_do_not_overlap(project_dir: Path) -> None:
    (spec,) = discover(project_dir / "models")[:1]
    names = load_settings(project_dir, "dev").names
    cells = [
        (x, y)
        for each in dashboard_body(names, [spec, spec])["widgets"]
        for x in range(each["x"], each["x"] + each["width"])
        for y in range(each["y"], each["y"] + each["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23
