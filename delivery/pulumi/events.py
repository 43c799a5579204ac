"""The stream of events that `pulumi up --json` writes, one JSON object a line.

The shape is `EngineEvent` in `sdk/go/common/apitype/events.go` of pulumi/pulumi.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

_DOING = {
    "create": "creating",
    "update": "updating",
    "delete": "deleting",
    "replace": "replacing",
    "create-replacement": "creating replacement of",
    "delete-replaced": "deleting replaced",
    "import": "importing",
}


class UpEvents:
    """Takes the lines one by one and keeps what matters at the end."""

    def __init__(self, on_line: Callable[[str], None] | None) -> None:
        self._on_line = on_line
        self.changes: dict[str, int] = {}
        self.errors: list[str] = []
        self.warnings: list[str] = []

    def take(self, line: str) -> None:
        """One line; what is no JSON object is told as it is."""
        try:
            event: Any = json.loads(line)
        except ValueError:
            event = None
        if not isinstance(event, dict):
            self._tell(line.rstrip())
            return
        for kind, payload in cast("dict[str, Any]", event).items():
            if isinstance(payload, dict):
                self._event(kind, cast("dict[str, Any]", payload))

    def _event(self, kind: str, payload: Mapping[str, Any]) -> None:
        if kind == "diagnosticEvent":
            self._diagnostic(payload)
        elif kind == "summaryEvent":
            self.changes = dict(payload.get("resourceChanges") or {})
        elif kind in ("resourcePreEvent", "resOpFailedEvent"):
            metadata = cast("dict[str, Any]", payload.get("metadata") or {})
            doing = _DOING.get(str(metadata.get("op")))
            if doing:
                ended = "failed: " if kind == "resOpFailedEvent" else ""
                name = str(metadata.get("urn", "")).split("::", 3)[-1]
                self._tell(f"{ended}{doing} {metadata.get('type')} {name}")

    def _diagnostic(self, payload: Mapping[str, Any]) -> None:
        message = " ".join(str(payload.get("message", "")).split())
        urn = str(payload.get("urn", ""))
        if not message or payload.get("ephemeral") or payload.get("severity") == "debug":
            return
        if urn and not urn.split("::")[2].startswith("pulumi:pulumi:Stack"):
            message = f"{urn.split('::', 3)[-1]}: {message}"
        if payload.get("severity") == "error":
            self.errors.append(message)
        elif payload.get("severity") == "warning":
            self.warnings.append(message)
        self._tell(f"{payload.get('severity', 'info')}: {message}")

    def _tell(self, line: str) -> None:
        if self._on_line is not None and line:
            self._on_line(line)
