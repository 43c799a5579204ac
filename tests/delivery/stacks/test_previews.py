"""The preview of an environment of several stacks: one document, which the gate, the cost and the report read whole."""

import json
from typing import Any, cast

import pytest

from delivery.cost import before_and_after, load_prices
from delivery.gate import check
from delivery.pulumi.command import PulumiError, PulumiStack, StackUnmadeError
from delivery.pulumi.preview import Preview, PreviewError, parse_preview
from delivery.stacks.previews import preview_document
from delivery.stacks.whole_state import whole_state
from delivery.workflows.report import report

PLATFORM_MISSING = "the platform stack dev is not applied yet, and its models hang on it; apply it first: "


class Previewed:
    """A stack whose preview and state are known, or what `pulumi` says instead."""

    def __init__(self, name: str, *steps: dict[str, Any], error: PulumiError | None = None) -> None:
        self.name, self.steps, self.error = name, steps, error

    def preview_json(self, *, refresh: bool = False) -> str:
        if self.error is not None:
            raise self.error
        told = [_step(self.name, "refresh", "pulumi:pulumi:Stack", "stack")] if refresh else []
        begin = _step(self.name, "same", "pulumi:pulumi:Stack", "stack")
        summary = {step["op"]: 1 for step in (*self.steps, begin)}
        return json.dumps({"steps": [*told, begin, *self.steps], "changeSummary": summary})

    def export(self) -> dict[str, Any]:
        if self.error is not None:
            raise self.error
        return {"version": 3, "deployment": {"resources": [{"urn": self.name, "type": "t"}]}}


def _step(stack: str, op: str, type_: str, name: str, **inputs: Any) -> dict[str, Any]:
    urn = f"urn:pulumi:{stack}::drivetrain::{type_}::{name}"
    state = {"urn": urn, "type": type_, "custom": True, "inputs": inputs}
    sides = {"newState": state} if op == "create" else {"oldState": state, "newState": state}
    return {"op": op, "urn": urn, **({"oldState": state} if op == "delete" else sides)}


def stacks(*found: Previewed) -> list[PulumiStack]:
    return cast("list[PulumiStack]", list(found))


def previewed(*found: Previewed, refresh: bool = False) -> Preview:
    first, *models = stacks(*found)
    return parse_preview(preview_document(first, models, refresh=refresh), "all of dev")


def failed(kind: type[PulumiError], diagnosis: str) -> PulumiError:
    return kind("dev-bikes", ["preview"], diagnosis, 1)


DASHBOARD = _step("dev", "create", "aws:cloudwatch/dashboard:Dashboard", "d", region="eu-west-1")
BUCKET = _step("dev-bikes", "delete", "aws:s3/bucket:Bucket", "rows", bucket="rows")


def test_the_gate_the_cost_and_the_report_see_every_stack() -> None:
    found = previewed(Previewed("dev", DASHBOARD), Previewed("dev-bikes", BUCKET))
    assert [step.op for step in found.changes] == ["create", "delete"]
    assert found.change_summary == {"create": 1, "same": 2, "delete": 1}
    verdict = check(found, stack="dev")
    assert [(each.rule, each.urn) for each in verdict.stopped] == [("delete-data", BUCKET["urn"])]
    text = report("dev", found, verdict, *before_and_after(found, load_prices(), "eu-west-1"))
    assert text.startswith("### dev: 1 made, 1 deleted")
    assert "**+3.00**" in text


def test_one_stack_has_the_document_of_pulumi_itself() -> None:
    (only,) = stacks(Previewed("dev", DASHBOARD))
    assert preview_document(only, ()) == only.preview_json()


def test_what_a_refresh_found_is_kept_apart_for_each_stack() -> None:
    found = previewed(Previewed("dev", DASHBOARD), Previewed("dev-bikes", BUCKET), refresh=True)
    assert len(found.refreshed) == 2
    assert [step.op for step in found.steps] == ["same", "create", "same", "delete"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (failed(PulumiError, f"{PLATFORM_MISSING}drivetrain deploy dev"), "waits for dev"),
        (failed(StackUnmadeError, "no stack named 'dev-bikes' found"), "not deployed yet"),
    ],
)
def test_a_model_whose_platform_or_stack_is_not_there_yet_is_said(error: PulumiError, said: str) -> None:
    found = previewed(Previewed("dev", DASHBOARD), Previewed("dev-bikes", error=error))
    assert [step.op for step in found.changes] == ["create"]
    assert found.left_out["dev-bikes"].startswith(said)
    text = report("dev", found, check(found), *before_and_after(found, load_prices()))
    assert f"- not previewed: `dev-bikes`: {said}" in text


def test_any_other_failure_fails() -> None:
    with pytest.raises(PulumiError, match="models/bikes"):
        previewed(Previewed("dev"), Previewed("dev-bikes", error=failed(PulumiError, "models/bikes: no such file")))


def test_a_part_that_is_cut_short_names_its_stack() -> None:
    with pytest.raises(PreviewError, match="all of dev: dev-bikes: no `changeSummary`"):
        parse_preview(json.dumps({"stacks": {"dev-bikes": {"steps": []}}}), "all of dev")


def test_the_whole_state_is_that_of_every_stack_that_was_deployed() -> None:
    unmade = Previewed("dev-new", error=failed(StackUnmadeError, "no stack named 'dev-new' found"))
    found = whole_state(stacks(Previewed("dev"), Previewed("dev-bikes"), unmade))
    assert [each["urn"] for each in found["deployment"]["resources"]] == ["dev", "dev-bikes"]
    with pytest.raises(PulumiError):
        whole_state(stacks(Previewed("dev", error=failed(PulumiError, "the bucket is not there"))))
