from dataclasses import replace
from typing import Any

from delivery.cost import Estimate, OnDemand
from delivery.cost.estimate import CostLine
from delivery.gate import check
from delivery.pulumi.preview import Preview, PreviewStep
from delivery.workflows.report import report

DASHBOARD = "aws:cloudwatch/dashboard:Dashboard"
BUCKET = "aws:s3/bucket:Bucket"


def step(op: Any, name: str, type_: str = DASHBOARD, **fields: Any) -> PreviewStep:
    return PreviewStep(op=op, urn=f"urn:pulumi:dev::p::{type_}::{name}", type=type_, name=name, **fields)


def estimate(least: float, most: float, *unknown: str) -> Estimate:
    line = CostLine(name="a", type="t", key="k", least=least, most=most, units=1)
    return Estimate(
        region="eu-west-1", hours_per_month=730, lines=(line,), usage=(), unknown=unknown, oldest="2026-01-01"
    )


def reported(*steps: PreviewStep, before: Estimate | None = None, after: Estimate | None = None) -> str:
    preview = Preview(steps=steps, change_summary={})
    nothing = estimate(1, 1)
    return report("dev", preview, check(preview, (), stack="dev"), before or nothing, after or nothing)


def test_where_nothing_changes_it_says_so() -> None:
    text = reported(step("same", "a"))
    assert text.startswith("### dev: nothing changes\n\n**The gate lets it pass.**\n")
    assert "no difference, then 1.00; what is paid by use comes on top" in text
    assert "<details>" not in text


def test_what_changes_is_counted_and_listed_with_its_reason() -> None:
    changed = tuple(f"tags.{number}" for number in range(8))
    text = reported(step("update", "lake", changed=changed), step("update", "logs", changed=("acl",)))
    assert text.startswith("### dev: 2 changed\n")
    assert f"| changed | `{DASHBOARD}` | `logs` | `acl` |" in text
    assert "`tags.5` and 2 more |" in text


def test_what_the_gate_stops_comes_with_the_line_that_would_allow_it() -> None:
    text = reported(step("delete", "lake", BUCKET))
    assert "**The gate stops it.** Allow just that in a commit message" in text
    assert "`Allow-change: " in text
    assert text.index("Allow-change") < text.index("<details>")


def test_the_difference_of_cost_is_shown_as_a_range_where_it_is_one() -> None:
    assert "a month: **+2.00**, then 3.00;" in reported(after=estimate(3, 3))
    assert "a month: **-1.00 to +4.50**, then 0.00 to 5.50;" in reported(after=estimate(0, 5.5))
    known = estimate(1, 1, "a: old")
    text = reported(before=known, after=replace(known, unknown=("a: old", "b: ml.p6 is not in the price table")))
    assert "- unknown: b: ml.p6 is not in the price table" in text
    assert "a: old" not in text


def test_a_price_that_only_a_use_would_have_is_not_missed_in_the_sum() -> None:
    use, lacking = "b: s3.read is not in the price table", "b: ml.p6 is not in the price table"
    text = reported(after=replace(estimate(1, 1, lacking, use), unknown_uses=(use,)))
    assert f"- unknown: {lacking}" in text
    assert use not in text


def test_what_each_use_costs_is_told_once_for_all_that_are_alike() -> None:
    uses = [
        OnDemand(name=name, type="t", key="sagemaker.transform.ml.m5.large", what="a transform job", usd=usd, per=per)
        for name, usd, per in (("cars", 0.128, "hour"), ("<bikes>", 0.128, "hour"), ("topic", 0.5, "million"))
    ]
    text = reported(after=replace(estimate(1, 1), on_demand=tuple(uses)))
    told = text[text.index("<details><summary>On demand, in no sum</summary>\n") :].splitlines()
    assert told[2:] == [
        "- 0.128 an hour of a transform job (sagemaker.transform.ml.m5.large): cars, ‹bikes›",
        "- 0.5 a million a transform job (sagemaker.transform.ml.m5.large): topic",
        "",
        "</details>",
    ]
    assert "no difference, then 1.00;" in text


def test_the_names_of_a_pull_request_cannot_write_into_the_comment() -> None:
    text = reported(step("create", "x`|<img src=y>\n@everyone"))
    assert "<img" not in text
    assert "`x'¦‹img src=y› @\u200beveryone`" in text


def test_more_than_a_comment_holds_is_counted() -> None:
    text = reported(*(step("create", f"n{number}") for number in range(70)))
    assert "and 10 more" in text
    assert "n69" not in text
