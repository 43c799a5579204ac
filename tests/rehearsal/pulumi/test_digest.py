import json
from typing import Any

from delivery.pulumi.preview import parse_preview
from rehearsal.engine.resource_state import ResourceState
from rehearsal.engine.results import Step
from rehearsal.engine.urn import STACK_TYPE
from rehearsal.pulumi.digest import blinded, change_summary, digest, failed_digest

OLD = ResourceState(urn="urn:pulumi:s::p::t::a", type="t", custom=True, id="1", inputs={"n": 1}, protect=True)
NEW = ResourceState(urn=OLD.urn, type="t", custom=True, inputs={"n": 2, "key": "k"}, secrets=("key",))
REPLACE = Step(
    operation="replace", urn=OLD.urn, type="t", changed=("n",), replaces=("n",), old=OLD, new=NEW,
    detail={"n": "UPDATE_REPLACE"},
)  # fmt: skip
SAME = Step(operation="same", urn="urn:pulumi:s::p::t::b", type="t", old=OLD, new=OLD)
ROOT = Step(operation="same", urn="urn:pulumi:s::p::r::r", type=STACK_TYPE, old=OLD, new=OLD)


def made(*steps: Step, **options: Any) -> dict[str, Any]:
    given = {"show_sames": False, "show_replacement_steps": False, "config": {"p:a": "b"}, "seconds": 1.5, **options}
    return digest(steps=steps, **given)


def test_what_stays_is_shown_only_when_asked_for_except_the_stack() -> None:
    assert [step["op"] for step in made(ROOT, SAME, REPLACE)["steps"]] == ["same", "replace"]
    assert len(made(ROOT, SAME, REPLACE, show_sames=True)["steps"]) == 3
    assert change_summary([ROOT, SAME, REPLACE]) == {"replace": 1, "same": 2}


def test_the_parts_of_a_replacement_are_shown_only_when_asked_for() -> None:
    found = made(REPLACE, show_replacement_steps=True)["steps"]
    assert [step["op"] for step in found] == ["create-replacement", "replace", "delete-replaced"]


def test_a_step_reads_as_pulumis_own_and_hides_secrets() -> None:
    document = made(REPLACE, messages=[(2, "careful")])
    assert document["duration"] == 1_500_000_000
    assert document["diagnostics"] == [{"message": "careful\n", "severity": "warning"}]
    (entry,) = document["steps"]
    assert entry["detailedDiff"] == {"n": {"kind": "update-replace", "inputDiff": True}}
    assert entry["newState"]["inputs"] == {"n": 2, "key": "[secret]"}
    (step,) = parse_preview(json.dumps(document), "digest").steps
    assert (step.op, step.protect, step.replace_reasons, step.old_inputs) == ("replace", True, ("n",), {"n": 1})


def test_drift_found_by_the_refresh_comes_before_what_is_done_about_it() -> None:
    gone = Step(operation="delete", urn=OLD.urn, type="t", old=OLD)
    again = Step(operation="create", urn=OLD.urn, type="t", new=NEW)
    document = made(again, refreshed=[gone, SAME])
    assert [step["op"] for step in document["steps"]] == ["delete", "refresh", "create"]
    assert document["changeSummary"] == {"create": 1}


def test_a_failed_preview_has_a_reason_and_no_summary() -> None:
    document = failed_digest({}, "no such key", 1.0)
    assert document["diagnostics"] == [{"message": "no such key\n", "severity": "error"}]
    assert "changeSummary" not in document


def test_secrets_are_hidden_wherever_they_are() -> None:
    secret = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "plaintext": '"x"'}
    assert blinded({"a": [secret, 1], "b": {"c": secret}}) == {"a": ["[secret]", 1], "b": {"c": "[secret]"}}
