"""`pulumi preview --json`: the whole preview as one document (`PreviewDigest` in `pkg/display/json.go`).

As there, a replacement is one step `replace`, and the two steps it consists of are shown only when asked for; what
stays the same is shown only with `--show-sames`, except the stack itself.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from rehearsal.engine.checkpoint import resource_entry
from rehearsal.engine.resource_state import ResourceState
from rehearsal.engine.results import Step
from rehearsal.engine.urn import STACK_TYPE
from rehearsal.provider.wire import SECRET, SIGNATURE

SECRET_SHOWN = "[secret]"  # noqa: S105  what Pulumi shows in place of one
_SEVERITIES = {1: "info", 2: "warning", 3: "error"}


def digest(
    *,
    steps: Iterable[Step],
    refreshed: Iterable[Step] = (),
    config: Mapping[str, str],
    messages: Iterable[tuple[int, str]] = (),
    seconds: float,
    show_sames: bool,
    show_replacement_steps: bool,
) -> dict[str, Any]:
    """The document; Pulumi gives the duration in nanoseconds."""
    steps = list(steps)
    shown = [_refreshed(step) for step in refreshed]
    for step in steps:
        if step.operation == "same" and not show_sames and step.type != STACK_TYPE:
            continue
        shown += _entries(step, parts=show_replacement_steps)
    document: dict[str, Any] = {
        "config": dict(config),
        "steps": shown,
        "diagnostics": diagnostics(messages),
        "duration": int(seconds * 1e9),
        "changeSummary": change_summary(steps),
    }
    return {key: value for key, value in document.items() if value}


def failed_digest(config: Mapping[str, str], message: str, seconds: float) -> dict[str, Any]:
    """What is left to say of a preview that failed: no summary, but why."""
    told = {"message": f"{message}\n", "severity": "error"}
    return {"config": dict(config), "diagnostics": [told], "duration": int(seconds * 1e9)}


def change_summary(steps: Iterable[Step]) -> dict[str, int]:
    """How many steps of each kind, providers and components included; what is only read is not counted."""
    return dict(sorted(Counter(step.operation for step in steps if step.operation != "read").items()))


def diagnostics(messages: Iterable[tuple[int, str]]) -> list[dict[str, Any]]:
    """What the program and the engine said."""
    return [{"message": f"{text}\n", "severity": _SEVERITIES.get(severity, "info")} for severity, text in messages]


def _entries(step: Step, *, parts: bool) -> Iterator[dict[str, Any]]:
    if step.operation == "replace" and parts:
        yield step_entry(step, "create-replacement")
        yield step_entry(step, "replace")
        yield step_entry(step, "delete-replaced")
    else:
        yield step_entry(step, step.operation)


def _refreshed(step: Step) -> dict[str, Any]:
    return step_entry(step, step.operation if step.operation in ("update", "delete") else "refresh")


def step_entry(step: Step, operation: str) -> dict[str, Any]:
    """One step with the states before and after, secrets blinded."""
    state = step.new or step.old
    entry: dict[str, Any] = {
        "op": operation,
        "urn": step.urn,
        "provider": state.provider if state else "",
        "oldState": _shown(step.old) if step.old else None,
        "newState": _shown(step.new) if step.new else None,
        "diffReasons": list(step.changed),
        "replaceReasons": list(step.replaces),
    }
    kept: dict[str, Any] = {key: value for key, value in entry.items() if value}
    kinds = {path: kind.lower().replace("_", "-") for path, kind in step.detail.items()}
    kept["detailedDiff"] = {path: {"kind": kind, "inputDiff": True} for path, kind in kinds.items()} or None
    return kept


def _shown(resource: ResourceState) -> dict[str, Any]:
    return blinded(resource_entry(resource))


def blinded(value: Any) -> Any:
    """`value` with each secret in it replaced."""
    if isinstance(value, list):
        return [blinded(item) for item in cast("list[Any]", value)]
    if not isinstance(value, dict):
        return value
    entries = cast("dict[str, Any]", value)
    if entries.get(SIGNATURE) == SECRET:
        return SECRET_SHOWN
    return {key: blinded(entry) for key, entry in entries.items()}
