"""The document that `pulumi stack export` prints, read and written entry by entry.

The format is `DeploymentV3` with its `ResourceV3` in `sdk/go/common/apitype/core.go` of pulumi/pulumi; fields that are
not known here travel along untouched.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from delivery.errors import DeliveryError

Document = Mapping[str, Any]
Entry = dict[str, Any]

VERSION = 3
STACK = "pulumi:pulumi:Stack"
REFERENCE = "pulumi:pulumi:StackReference"
PROVIDER = "pulumi:providers:"


class StateError(DeliveryError):
    """A state is none that resources can be moved out of or into; the message says which and why."""


def resources(document: Document) -> list[Entry]:
    """The resources, each after what it needs."""
    return list(_deployment(document).get("resources") or [])


def with_resources(document: Document, entries: Sequence[Entry]) -> dict[str, Any]:
    """The document with these resources; the key of its secrets goes along, all stacks of an environment share it."""
    deployment = copy.deepcopy({key: value for key, value in _deployment(document).items() if key != "resources"})
    return {**document, "deployment": {**deployment, "resources": [*entries]}}


def emptied(document: Document) -> dict[str, Any]:
    """The same state without a resource."""
    return with_resources(document, [])


def stack_outputs(document: Document) -> dict[str, Any]:
    """What the stack exports."""
    return next((outputs(entry) for entry in resources(document) if entry["type"] == STACK), dict[str, Any]())


def resource_ids(document: Document) -> dict[tuple[str, str], str]:
    """The physical id of every AWS resource by its type and logical name, which no move changes."""
    return {
        (entry["type"], name_of(entry["urn"])): str(entry.get("id", ""))
        for entry in resources(document)
        if entry.get("custom") and not is_bookkeeping(entry)
    }


def refuse_unsettled(document: Document, stack: str) -> None:
    """Raise StateError for another format, an operation that was interrupted, or a deletion still to come."""
    if document.get("version") != VERSION:
        raise StateError(f"the state of {stack} is of version {document.get('version')}, known here is {VERSION}")
    pending: list[Any] = _deployment(document).get("pending_operations") or []
    if pending:
        raise StateError(
            f"the state of {stack} holds {len(pending)} interrupted operations; finish them first: pulumi refresh "
            f"--stack {stack}"
        )
    waiting = [entry["urn"] for entry in resources(document) if entry.get("delete") or entry.get("pendingReplacement")]
    if waiting:
        raise StateError(f"{stack} has a replacement to finish: {', '.join(waiting)}; apply it first")


def is_bookkeeping(entry: Entry) -> bool:
    """What a stack has for itself, and nothing on AWS stands for."""
    return entry["type"] in (STACK, REFERENCE) or str(entry["type"]).startswith(PROVIDER)


def outputs(entry: Entry) -> dict[str, Any]:
    """The outputs of a resource."""
    return dict(entry.get("outputs") or {})


def rewritten(entry: Entry, urns: Mapping[str, str], provider: Callable[[str], str]) -> Entry:
    """The resource under the URNs that `urns` gives for old ones; what it has no new one for is no longer named."""
    new = copy.deepcopy(entry)
    new["urn"] = urns[entry["urn"]]
    for key in ("parent", "deletedWith", "viewOf"):
        if new.get(key):
            new[key] = urns.get(new[key], "")
    if new.get("provider"):
        new["provider"] = provider(new["provider"])
    for key in ("dependencies", "aliases", "replaceWith"):
        if new.get(key):
            new[key] = [urns[urn] for urn in new[key] if urn in urns]
    for key, found in _property_dependencies(new).items():
        new["propertyDependencies"][key] = [urns[urn] for urn in found if urn in urns]
    return {key: value for key, value in new.items() if value not in ("", [])}


def without_dependencies(entry: Entry, gone: Mapping[str, Any]) -> Entry:
    """The resource without its dependencies on what is in `gone`."""
    new = copy.deepcopy(entry)
    if new.get("dependencies"):
        new["dependencies"] = [urn for urn in new["dependencies"] if urn not in gone]
    for key, found in _property_dependencies(new).items():
        new["propertyDependencies"][key] = [urn for urn in found if urn not in gone]
    return new


def make_urn(stack: str, project: str, qualified: str, name: str) -> str:
    """`urn:pulumi:<stack>::<project>::<types of the parents and of itself>::<name>`."""
    return f"urn:pulumi:{stack}::{project}::{qualified}::{name}"


def renamed(urn: str, before: str, after: str) -> str:
    """The URN in another stack; the stack's own resource is named after it."""
    project, name = project_of(urn), name_of(urn)
    if type_of(urn) == STACK and name == f"{project}-{before}":
        name = f"{project}-{after}"
    return make_urn(after, project, qualified_type(urn), name)


def project_of(urn: str) -> str:
    """The project."""
    return urn.split("::", 3)[1]


def qualified_type(urn: str) -> str:
    """The types of the parents and of the resource itself, joined by `$`."""
    return urn.split("::", 3)[2]


def type_of(urn: str) -> str:
    """The type of the resource itself."""
    return qualified_type(urn).rpartition("$")[2]


def name_of(urn: str) -> str:
    """The logical name."""
    return urn.split("::", 3)[3]


def urn_in(reference: str) -> str:
    """The URN in a provider reference `<urn>::<id>`."""
    return reference.rpartition("::")[0]


def _deployment(document: Document) -> Mapping[str, Any]:
    return document.get("deployment") or {}


def _property_dependencies(entry: Entry) -> dict[str, list[str]]:
    found = cast("dict[str, list[str] | None]", entry.get("propertyDependencies") or {})
    return {key: urns or [] for key, urns in found.items()}
