"""What an operation prints while it works: lines for people, or with `--json` one event a line.

The events are those of `sdk/go/common/apitype/events.go`: `resourcePreEvent` when a resource is begun (here: done),
`resOutputsEvent` when it is done, `resOpFailedEvent` and `diagnosticEvent` when it is not, `summaryEvent` at the end.
"""

import json
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from rehearsal.engine import Event, Plan
from rehearsal.engine.urn import STACK_TYPE, name_of
from rehearsal.pulumi.digest import SECRET_SHOWN, change_summary, diagnostics

_SIGNS = {"create": "+", "update": "~", "delete": "-", "replace": "+-", "read": ">", "import": "="}
_DONE = {"create": "created", "update": "updated", "delete": "deleted", "replace": "replaced", "import": "imported"}
_PLANNED = {"create": "create", "update": "update", "delete": "delete", "replace": "replace", "import": "import"}


class Display(Protocol):
    """Where an operation is told."""

    def begins(self, title: str) -> None:
        """The operation begins."""
        ...

    def event(self, event: Event) -> None:
        """A resource began, ended or failed. Called from several threads."""
        ...

    def messages(self, messages: Iterable[tuple[int, str]]) -> None:
        """What the program said."""
        ...

    def outputs(self, outputs: Mapping[str, Any], secret: Iterable[str]) -> None:
        """The stack's outputs."""
        ...

    def ends(self, changes: Mapping[str, int], *, seconds: float = 0.0, error: str = "") -> None:
        """The operation is over."""
        ...


class Lines:
    """Lines for people, as the real command writes them where there is no terminal."""

    def __init__(self, stack: str) -> None:
        self._stack = stack
        self._lock = threading.Lock()

    def preview(self, plan: Plan) -> None:
        """A whole preview."""
        self.begins("Previewing update")
        for step in plan.every_step:
            if step.operation != "same" or step.type == STACK_TYPE:
                sign, word = _SIGNS.get(step.operation, " "), _PLANNED.get(step.operation, "")
                changed = f" [diff: {', '.join(f'~{key}' for key in step.changed)}]" if step.changed else ""
                print(f" {sign:<2} {step.type} {name_of(step.urn)} {word}{changed}".rstrip())
        self.messages(plan.messages)
        print("\nResources:")
        self._counts(change_summary(plan.every_step), planned=True)
        print()

    def begins(self, title: str) -> None:
        """The headline."""
        print(f"{title} ({self._stack}):", flush=True)

    def event(self, event: Event) -> None:
        """One line for what is done or failed."""
        name = name_of(event.urn)
        with self._lock:
            if event.status == "done":
                done = _DONE.get(event.operation, event.operation)
                print(f" {_SIGNS.get(event.operation, ' '):<2} {event.type} {name} {done}", flush=True)
            elif event.status == "failed":
                print(f"    {event.type} {name} **{event.operation} failed**: error: {event.message}", flush=True)

    def messages(self, messages: Iterable[tuple[int, str]]) -> None:
        """Diagnostics."""
        for entry in diagnostics(messages):
            print(f"    {entry['severity']}: {entry['message'].rstrip()}")

    def outputs(self, outputs: Mapping[str, Any], secret: Iterable[str]) -> None:
        """The outputs, secrets blinded."""
        hidden = set(secret)
        if outputs:
            print("\nOutputs:")
        for key, value in sorted(outputs.items()):
            print(f"    {key}: {SECRET_SHOWN if key in hidden else json.dumps(value)}")

    def ends(self, changes: Mapping[str, int], *, seconds: float = 0.0, error: str = "") -> None:
        """The counts and the duration."""
        if not error:
            print("\nResources:")
            self._counts(changes, planned=False)
            print(f"\nDuration: {max(1, round(seconds))}s", flush=True)

    def _counts(self, changes: Mapping[str, int], *, planned: bool) -> None:
        for operation, count in changes.items():
            if operation == "same":
                print(f"    {count} unchanged")
            elif operation in _DONE:
                word = f"to {operation}" if planned else _DONE[operation]
                print(f"    {_SIGNS[operation]} {count} {word}")


class EventStream:
    """One JSON object a line."""

    def __init__(self, config: Mapping[str, str]) -> None:
        self._config = dict(config)
        self._sequence = 0
        self._lock = threading.Lock()

    def begins(self, title: str) -> None:
        """The configuration."""
        del title
        self._write("preludeEvent", {"config": self._config})

    def event(self, event: Event) -> None:
        """A resource."""
        metadata = {"op": event.operation, "urn": event.urn, "type": event.type, "old": None, "new": None}
        if event.status == "failed":
            self._write("resOpFailedEvent", {"metadata": metadata, "status": 0, "steps": 0})
            self._diagnostic(f"{event.message}\n", "error", event.urn)
        elif event.status == "done":
            self._write("resourcePreEvent", {"metadata": metadata})
            self._write("resOutputsEvent", {"metadata": metadata})

    def messages(self, messages: Iterable[tuple[int, str]]) -> None:
        """Diagnostics of the program."""
        for entry in diagnostics(messages):
            self._diagnostic(entry["message"], entry["severity"])

    def outputs(self, outputs: Mapping[str, Any], secret: Iterable[str]) -> None:
        """Not part of the stream; `pulumi stack output` has them."""

    def ends(self, changes: Mapping[str, int], *, seconds: float = 0.0, error: str = "") -> None:
        """The counts."""
        if error:
            self._diagnostic("update failed\n", "error")
        summary = {
            "maybeCorrupt": False,
            "durationSeconds": round(seconds),
            "resourceChanges": dict(changes),
            "PolicyPacks": {},
            "isPreview": False,
            "result": "failed" if error else "succeeded",
        }
        self._write("summaryEvent", summary)
        self._write("cancelEvent", {})

    def _diagnostic(self, message: str, severity: str, urn: str = "") -> None:
        payload = {"prefix": f"{severity}: ", "message": message, "color": "never", "severity": severity}
        self._write("diagnosticEvent", {"urn": urn, **payload} if urn else payload)

    def _write(self, kind: str, payload: Mapping[str, Any]) -> None:
        with self._lock:
            event = {"sequence": self._sequence, "timestamp": int(time.time()), kind: payload}
            self._sequence += 1
            print(json.dumps(event), flush=True)
