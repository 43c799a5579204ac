"""What `pulumi preview --json` says, as one typed object.

The shape is `PreviewDigest` in `pkg/display/json.go` of pulumi/pulumi. Everything that decides on a deploy reads it
from here, so a document that this cannot fully understand is refused: one that is cut short, one of a preview that
failed, one of a newer version with operations that nothing here knows how to judge.

An environment of several stacks has one document for all of them, which Pulumi does not know:
`{"stacks": {NAME: DOCUMENT, …}, "leftOut": {NAME: REASON, …}}` (delivery/stacks/previews.py).
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

from delivery.errors import DeliveryError

Operation = Literal[
    "same",
    "create",
    "update",
    "delete",
    "replace",
    "create-replacement",
    "delete-replaced",
    "read",
    "read-replacement",
    "refresh",
    "discard",
    "discard-replaced",
    "remove-pending-replace",
    "import",
    "import-replacement",
]
OPERATIONS: frozenset[str] = frozenset(get_args(Operation))
UNCHANGING: frozenset[str] = frozenset({"same", "read", "refresh"})
_STACK = "pulumi:pulumi:Stack"
WITHOUT_OLD: frozenset[str] = frozenset({"create", "import", "read"})
WITHOUT_NEW: frozenset[str] = frozenset({"delete", "delete-replaced", "discard", "discard-replaced"}) | {
    "remove-pending-replace"
}


class PreviewError(DeliveryError):
    """The document is no preview that can be judged; the message says what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class PreviewStep:
    """What would be done to one resource; `detail` is the kind of each difference (`add`, `update-replace`) by path.

    Before the resource is made, what only AWS can say is missing from `new_outputs`, or the string that Pulumi sets for
    the unknown. Secrets are the string `[secret]`.
    """

    op: Operation
    urn: str
    type: str
    name: str
    custom: bool = True
    old_inputs: dict[str, Any] = field(default_factory=dict[str, Any])
    new_inputs: dict[str, Any] = field(default_factory=dict[str, Any])
    old_outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    new_outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    replace_reasons: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    detail: dict[str, str] = field(default_factory=dict[str, str])
    protect: bool = False
    unprotected: bool = False
    """Whether it is protected and no longer would be; such a step may otherwise be a `same`."""
    parent: str = ""


@dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """One message of the program or the engine."""

    severity: str
    message: str
    urn: str = ""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """Every step of a preview, in its order."""

    steps: tuple[PreviewStep, ...]
    """What the program would do."""
    change_summary: dict[str, int]
    diagnostics: tuple[Diagnostic, ...] = ()
    refreshed: tuple[PreviewStep, ...] = ()
    """What a refresh before it found: `update` for what differs from the state, `delete` for what is gone."""
    left_out: dict[str, str] = field(default_factory=dict[str, str])
    """Stacks of the environment that could not be previewed yet, and why."""

    @property
    def changes(self) -> tuple[PreviewStep, ...]:
        """The steps that change something."""
        return tuple(step for step in self.steps if step.op not in UNCHANGING)


def parse_preview(text: str, origin: str) -> Preview:
    """The preview in `text`; `origin` is what the message of a PreviewError calls it, such as a file."""
    document = _document(text, origin)
    if "stacks" not in document:
        return _parsed(document, origin)
    stacks = _mapping(document["stacks"], f"{origin}: `stacks`")
    found = [_parsed(_mapping(each, f"{origin}: {name}"), f"{origin}: {name}") for name, each in stacks.items()]
    left_out = _mapping(document.get("leftOut") or {}, f"{origin}: `leftOut`")
    return merged(found, {name: str(reason) for name, reason in left_out.items()})


def merged(found: Iterable[Preview], left_out: Mapping[str, str]) -> Preview:
    """The previews of several stacks as one; the stack is part of each URN, so that no two steps are of the same."""
    previews = list(found)
    summary: Counter[str] = Counter()
    for each in previews:
        summary.update(each.change_summary)
    return Preview(
        steps=tuple(step for each in previews for step in each.steps),
        change_summary=dict(summary),
        diagnostics=tuple(one for each in previews for one in each.diagnostics),
        refreshed=tuple(step for each in previews for step in each.refreshed),
        left_out=dict(left_out),
    )


def _parsed(document: Mapping[str, Any], origin: str) -> Preview:
    diagnostics = tuple(_diagnostic(entry, origin) for entry in _entries(document, "diagnostics", origin))
    failed = [diagnostic.message.strip() for diagnostic in diagnostics if diagnostic.severity == "error"]
    if failed:
        raise PreviewError(f"{origin}: the preview failed: " + "; ".join(failed))
    if "changeSummary" not in document:
        raise PreviewError(f"{origin}: no `changeSummary`; the preview did not come to its end")
    summary = _mapping(document["changeSummary"], f"{origin}: `changeSummary`")
    entries = _entries(document, "steps", origin)
    steps = tuple(_step(entry, f"{origin}: step {number}") for number, entry in enumerate(entries, 1))
    begin = _begin_of_program(steps)
    _refuse_missing(steps[begin:], summary, origin)
    return Preview(steps=steps[begin:], change_summary=dict(summary), diagnostics=diagnostics, refreshed=steps[:begin])


def _begin_of_program(steps: tuple[PreviewStep, ...]) -> int:
    """The steps of a refresh come first; those of the program begin with the stack itself, which is always shown."""
    found = [number for number, step in enumerate(steps) if step.type == _STACK and step.op in ("same", "create")]
    begin = found[-1] if found else 0
    return begin if all(step.op in ("refresh", "update", "delete") for step in steps[:begin]) else 0


def _document(text: str, origin: str) -> dict[str, Any]:
    if not text.strip():
        raise PreviewError(f"{origin}: empty; write it with `pulumi preview --json --show-sames`")
    try:
        document = json.loads(text)
    except ValueError as error:
        raise PreviewError(f"{origin}: not the whole of a JSON document, as if cut short ({error})") from error
    return _mapping(document, origin)


def _step(entry: Any, where: str) -> PreviewStep:
    fields = _mapping(entry, where)
    op, urn = _text(fields, "op", where), _text(fields, "urn", where)
    where = f"{where} ({urn})"
    if op not in OPERATIONS:
        known = ", ".join(sorted(OPERATIONS))
        raise PreviewError(f"{where}: the operation `{op}` is not known here, a newer Pulumi made this; known: {known}")
    old = _state(fields, "oldState", where, needed=op not in WITHOUT_OLD)
    # What a refresh will find is not known when it is told that it begins.
    new = _state(fields, "newState", where, needed=op not in WITHOUT_NEW and op != "refresh")
    held = new or old
    detail = _mapping(fields.get("detailedDiff") or {}, f"{where}: `detailedDiff`")
    kinds = {path: str(_mapping(value, f"{where}: `{path}`").get("kind", "update")) for path, value in detail.items()}
    return PreviewStep(
        op=cast("Operation", op),
        urn=urn,
        type=_text(held, "type", where),
        name=urn.split("::", 3)[-1],
        custom=bool(held.get("custom", True)),
        old_inputs=_mapping(old.get("inputs") or {}, f"{where}: `oldState.inputs`"),
        new_inputs=_mapping(new.get("inputs") or {}, f"{where}: `newState.inputs`"),
        old_outputs=_mapping(old.get("outputs") or {}, f"{where}: `oldState.outputs`"),
        new_outputs=_mapping(new.get("outputs") or {}, f"{where}: `newState.outputs`"),
        replace_reasons=tuple(fields.get("replaceReasons") or ()),
        changed=tuple(kinds) or tuple(fields.get("diffReasons") or ()),
        detail=kinds,
        protect=bool(old.get("protect", held.get("protect", False))),
        unprotected=bool(old.get("protect")) and bool(new) and not new.get("protect"),
        parent=str(held.get("parent", "")),
    )


def _state(fields: Mapping[str, Any], key: str, where: str, *, needed: bool) -> dict[str, Any]:
    if key not in fields:
        if needed:
            raise PreviewError(f"{where}: `{key}` is missing")
        return {}
    return _mapping(fields[key], f"{where}: `{key}`")


def _diagnostic(entry: Any, origin: str) -> Diagnostic:
    fields = _mapping(entry, f"{origin}: `diagnostics`")
    return Diagnostic(
        severity=str(fields.get("severity", "info")),
        message=str(fields.get("message", "")),
        urn=str(fields.get("urn", "")),
    )


def _refuse_missing(steps: tuple[PreviewStep, ...], summary: Mapping[str, Any], origin: str) -> None:
    """A document that parses may still have lost steps; what decides on them must not take that for "no change"."""
    counted = Counter(step.op for step in steps)
    for op, count in summary.items():
        if op not in OPERATIONS:
            raise PreviewError(f"{origin}: `changeSummary` counts `{op}`, which is not known here")
        found = counted[cast("Operation", op)]
        if op not in UNCHANGING and isinstance(count, int) and found < count:
            raise PreviewError(f"{origin}: `changeSummary` counts {count} `{op}`, `steps` holds {found}; cut short")


def _entries(document: Mapping[str, Any], key: str, origin: str) -> list[Any]:
    entries: Any = document.get(key) or []
    if not isinstance(entries, list):
        raise PreviewError(f"{origin}: `{key}` is no list")
    return cast("list[Any]", entries)


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise PreviewError(f"{where}: an object was expected, found {type(value).__name__}")
    return cast("dict[str, Any]", value)


def _text(fields: Mapping[str, Any], key: str, where: str) -> str:
    value: Any = fields.get(key)
    if not isinstance(value, str) or not value:
        raise PreviewError(f"{where}: `{key}` is missing")
    return value
