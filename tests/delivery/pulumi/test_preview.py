import json
from typing import Any

import pytest

from delivery.pulumi.preview import PreviewError, parse_preview

URN = "urn:pulumi:dev::drivetrain::a:b:C$aws:s3/bucket:Bucket::lake::raw"


def state(**fields: Any) -> dict[str, Any]:
    return {"urn": URN, "custom": True, "type": "aws:s3/bucket:Bucket", **fields}


def step(op: str, **fields: Any) -> dict[str, Any]:
    return {"op": op, "urn": URN, "oldState": state(), "newState": state(), "detailedDiff": None, **fields}


def document(*steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for each in steps:
        counts[each["op"]] = counts.get(each["op"], 0) + 1
    return {"steps": list(steps), "changeSummary": counts, "duration": 1, **fields}


def parsed(found: dict[str, Any]) -> Any:
    return parse_preview(json.dumps(found), "plan.json")


def test_a_step_has_the_states_before_and_after() -> None:
    found = parsed(
        document(
            step(
                "update",
                oldState=state(inputs={"acl": "private"}, outputs={"arn": "x"}, protect=True),
                newState=state(inputs={"acl": "public"}, parent="p"),
                diffReasons=["acl"],
                detailedDiff={"acl": {"kind": "update", "inputDiff": True}},
            ),
            diagnostics=[{"severity": "warning", "message": "careful\n"}],
        )
    )
    (one,) = found.steps
    assert (one.op, one.name, one.type, one.protect) == ("update", "lake::raw", "aws:s3/bucket:Bucket", True)
    assert (one.old_inputs, one.new_inputs, one.old_outputs) == ({"acl": "private"}, {"acl": "public"}, {"arn": "x"})
    assert (one.changed, one.detail, one.parent) == (("acl",), {"acl": "update"}, "p")
    assert found.change_summary == {"update": 1}
    assert found.diagnostics[0].severity == "warning"


def test_what_stays_or_is_only_read_is_no_change() -> None:
    found = parsed(document(step("same"), step("read"), step("refresh"), step("replace", replaceReasons=["bucket"])))
    assert [(each.op, each.replace_reasons) for each in found.changes] == [("replace", ("bucket",))]
    assert len(found.steps) == 4


def test_without_a_detailed_difference_the_reasons_are_what_changed() -> None:
    assert parsed(document(step("update", diffReasons=["acl", "tags"]))).steps[0].changed == ("acl", "tags")


def test_a_made_resource_has_no_past_and_a_deleted_one_no_future() -> None:
    made, gone = step("create"), step("delete")
    del made["oldState"], gone["newState"]
    found = parsed(document(made, gone))
    assert [(each.op, each.type) for each in found.steps] == [
        ("create", "aws:s3/bucket:Bucket"),
        ("delete", "aws:s3/bucket:Bucket"),
    ]


def test_every_place_where_it_may_be_cut_short_is_told() -> None:
    text = json.dumps(document(step("update")))
    for end in range(len(text)):
        with pytest.raises(PreviewError, match=r"plan\.json: (not the whole of a JSON document|empty)"):
            parse_preview(text[:end], "plan.json")


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"changeSummary": {"update": 1}}, "counts 1 `update`, `steps` holds 0; cut short"),
        ({"steps": []}, "no `changeSummary`; the preview did not come to its end"),
        ([], "an object was expected, found list"),
        (document(step("ponder")), "step 1 .*: the operation `ponder` is not known here, a newer Pulumi"),
        ({"changeSummary": {"ponder": 1}}, "`changeSummary` counts `ponder`"),
        (document({"op": "update"}), "step 1: `urn` is missing"),
        (document(step("update", newState=None)), "`newState`: an object was expected, found NoneType"),
        (document({"op": "update", "urn": URN, "newState": state()}), "`oldState` is missing"),
        (document(step("update", newState={}, oldState={})), "`type` is missing"),
        (document(step("update", newState=state(inputs=[1]))), "`newState.inputs`: an object was expected"),
        (document(step("update", detailedDiff={"acl": "update"})), "`acl`: an object was expected, found str"),
        ({"changeSummary": {}, "steps": {}, "diagnostics": 1}, "`diagnostics` is no list"),
        ({"diagnostics": [{"severity": "error", "message": "no such key\n"}]}, "the preview failed: no such key"),
    ],
)
def test_what_cannot_be_judged_is_refused(broken: Any, message: str) -> None:
    with pytest.raises(PreviewError, match=message):
        parsed(broken)


def test_what_a_refresh_found_comes_apart_from_what_the_program_does() -> None:
    root = {"urn": "urn:pulumi:dev::drivetrain::pulumi:pulumi:Stack::drivetrain-dev", "type": "pulumi:pulumi:Stack"}
    gone, made = step("delete"), step("create")
    del gone["newState"], made["oldState"]
    steps = [
        {"op": "refresh", "urn": root["urn"], "oldState": root},
        gone,
        {"op": "same", "urn": root["urn"], "oldState": root, "newState": root},
        made,
    ]
    found = parsed({"steps": steps, "changeSummary": {"create": 1, "same": 1}})
    assert [each.op for each in found.changes] == ["create"]
    assert [each.op for each in found.refreshed] == ["refresh", "delete"]
