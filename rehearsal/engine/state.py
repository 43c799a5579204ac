"""What the engine remembers of a stack: its resources, kept in a StackStorage after every change."""

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rehearsal.engine.checkpoint import VERSION, deployment_of, resources_in
from rehearsal.engine.resource_state import ResourceState
from rehearsal.engine.results import EngineError
from rehearsal.engine.storage import StackStorage
from rehearsal.engine.urn import STACK_TYPE

_NEVER = "0001-01-01T00:00:00Z"


class StateCorruptError(EngineError):
    """The state file holds something else."""


class StackStore:
    """The resources of a stack, kept after every change. Safe to use from several threads.

    The account that the state belongs to stands beside the checkpoint, where Pulumi's own command ignores it.
    """

    def __init__(self, storage: StackStorage) -> None:
        self._storage = storage
        self._lock = threading.Lock()
        self._time = _NEVER
        self._written = ""
        self.stack = ""
        self.account_id = ""
        self.secrets_providers: dict[str, Any] | None = None
        self._resources: dict[str, ResourceState] = {}
        self.exists = self._load()

    @property
    def resources(self) -> dict[str, ResourceState]:
        """A copy: every resource by its key, in the order they were first made."""
        with self._lock:
            return dict(self._resources)

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs of the stack, which are those of its root."""
        root = self.root
        return dict(root.outputs) if root else {}

    @property
    def root(self) -> ResourceState | None:
        """The stack itself as a resource."""
        with self._lock:
            return next((found for found in self._resources.values() if found.type == STACK_TYPE), None)

    def get(self, urn: str) -> ResourceState | None:
        """The live resource of that URN."""
        with self._lock:
            return self._resources.get(urn)

    def put(self, resource: ResourceState) -> None:
        """Remember `resource`, in place of what its URN stood for."""
        with self._lock:
            self._resources[resource.key] = resource
            self._append({"put": asdict(resource)})

    def drop(self, key: str) -> None:
        """Forget the resource of that key."""
        with self._lock:
            self._resources.pop(key, None)
            self._append({"drop": key})

    def deployment(self) -> dict[str, Any]:
        """The state as Pulumi's `DeploymentV3`."""
        with self._lock:
            return deployment_of(list(self._resources.values()), self._time, self.secrets_providers)

    def restore(self, deployment: Mapping[str, Any]) -> None:
        """Take the resources of a `DeploymentV3` for the state; raises StateCorruptError for what is none."""
        resources = self._checked(deployment)
        with self._lock:
            self._resources = {resource.key: resource for resource in resources}

    def sibling(self, project: str, stack: str) -> "StackStore":
        """Another stack of the same backend."""
        return StackStore(self._storage.sibling(project, stack))

    def commit(self) -> None:
        """Write the whole state in place of the old one and forget the journal."""
        with self._lock:
            if self._text() != self._written:
                self._time = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
                self._written = self._text()
            self._storage.write(self._written)

    def _text(self) -> str:
        checkpoint = {
            "stack": self.stack,
            "latest": deployment_of(list(self._resources.values()), self._time, self.secrets_providers),
        }
        document = {"version": VERSION, "checkpoint": checkpoint, "rehearsal": {"account_id": self.account_id}}
        return json.dumps(document, indent=1)

    def _append(self, entry: Mapping[str, Any]) -> None:
        self._storage.append(json.dumps(entry))

    def _load(self) -> bool:
        text = self._storage.read()
        if text is not None:
            self._parse(text)
            self._written = text
        lines = self._storage.journal()
        self._replay(lines)
        return text is not None or bool(lines)

    def _parse(self, text: str) -> None:
        try:
            document: Any = json.loads(text)
            if "resources" in document:
                self._take_first_version(document)
                return
            checkpoint = document["checkpoint"]
            latest: dict[str, Any] = checkpoint.get("latest") or {}
            self._time = latest.get("manifest", {}).get("time", _NEVER)
            self.stack = checkpoint.get("stack", "")
            self.secrets_providers = latest.get("secrets_providers")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._corrupt(error) from error
        self.account_id = document.get("rehearsal", {}).get("account_id", "")
        self._resources = {resource.key: resource for resource in self._checked(latest)}

    def _take_first_version(self, document: Mapping[str, Any]) -> None:
        """What rehearsals wrote before the state became a checkpoint; the next commit writes it anew."""
        self.account_id = document["account_id"]
        found = [ResourceState.from_json(entry) for entry in document["resources"]]
        self._resources = {resource.key: resource for resource in found}

    def _checked(self, deployment: Mapping[str, Any]) -> list[ResourceState]:
        try:
            return resources_in(deployment)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._corrupt(error) from error

    def _corrupt(self, error: Exception) -> StateCorruptError:
        return StateCorruptError(f"{self._storage.title} is no state of Pulumi's ({error}); move it away")

    def _replay(self, lines: list[str]) -> None:
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                break  # the last line of a process that was killed while it wrote
            if "put" in entry:
                resource = ResourceState.from_json(entry["put"])
                self._resources[resource.key] = resource
            else:
                self._resources.pop(entry["drop"], None)
