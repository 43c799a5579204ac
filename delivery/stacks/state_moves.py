"""Moving models between the states of stacks: pure functions over what `pulumi stack export` prints.

A moved resource keeps its physical id, inputs and outputs; what names it within its stack (URN, parent, provider) is
rewritten, and a dependency on what stays behind is dropped, since a state may name only resources of its own. The next
`up` records it anew.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from delivery.pulumi import checkpoint
from delivery.pulumi.checkpoint import (
    PROVIDER,
    STACK,
    Document,
    Entry,
    StateError,
    name_of,
    qualified_type,
    type_of,
    urn_in,
)
from infra.scope import model_stack

_MODEL = "drivetrain:model:Model"
MODEL_ROOTS = (_MODEL, "drivetrain:platform:LakeGrants")
"""The components at the top of a model's stack, named after the model."""
# What hangs elsewhere when moved: the queries of a model's table belong to the catalog where both are in one stack.
_CATALOG = "drivetrain:platform:Catalog"
_QUERY = "aws:athena/namedQuery:NamedQuery"
_BY_MODEL = ("state_machines", "endpoints")
_OF_MODELS = (*_BY_MODEL, "images")
"""The stack outputs that the program exports beside models; the first ones have an entry per model."""


@dataclass(frozen=True, kw_only=True)
class Division:
    """One state taken apart: what stays, and the state of each model's stack by the name of the model."""

    platform: dict[str, Any]
    models: dict[str, dict[str, Any]]


def models_in(document: Document) -> list[str]:
    """The models whose resources a state holds."""
    return sorted(name_of(each["urn"]) for each in checkpoint.resources(document) if each["type"] == _MODEL)


def is_platform_alone(document: Document) -> bool:
    """Whether the state is that of a platform stack whose models have stacks of their own."""
    outputs = checkpoint.stack_outputs(document)
    return "platform" in outputs and "state_machines" not in outputs


def divide(document: Document, environment: str) -> Division:
    """Take the models out of the state of `environment`; raises StateError for one in the middle of something."""
    checkpoint.refuse_unsettled(document, environment)
    entries = checkpoint.resources(document)
    owners = _owners(entries)
    moving = {model: [each for each in entries if owners.get(each["urn"]) == model] for model in models_in(document)}
    staying = [checkpoint.without_dependencies(entry, owners) for entry in entries if entry["urn"] not in owners]
    for entry in staying:
        if entry["type"] == STACK:
            entry["outputs"] = {key: v for key, v in checkpoint.outputs(entry).items() if key not in _OF_MODELS}
    return Division(
        platform=checkpoint.with_resources(document, staying),
        models={model: _model_state(document, environment, model, found) for model, found in moving.items()},
    )


def unite(document: Document, environment: str, models: Mapping[str, Document]) -> dict[str, Any]:
    """The state of `environment` with those of its models' stacks in it; a model it already holds is left alone."""
    checkpoint.refuse_unsettled(document, environment)
    platform = checkpoint.resources(document)
    held = set(models_in(document))
    moved: list[Entry] = []
    outputs: dict[str, Any] = {}
    for model, other in models.items():
        checkpoint.refuse_unsettled(other, model_stack(environment, model))
        moved += [] if model in held else _coming_home(other, environment, model, platform)
        for key, value in checkpoint.stack_outputs(other).items():
            if key in _OF_MODELS:
                outputs[key] = {**outputs.get(key, {}), **value}
    entries = [
        {**entry, "outputs": {**outputs, **checkpoint.outputs(entry)}} if entry["type"] == STACK else entry
        for entry in platform
    ]
    return checkpoint.with_resources(document, [*entries, *moved])


def _model_state(document: Document, environment: str, model: str, moving: Sequence[Entry]) -> dict[str, Any]:
    stack = model_stack(environment, model)
    needed = {urn_in(entry["provider"]) for entry in moving if entry.get("provider")}
    carried = [
        entry
        for entry in checkpoint.resources(document)
        if entry["type"] == STACK or (entry["type"].startswith(PROVIDER) and entry["urn"] in needed)
    ]
    urns = {entry["urn"]: checkpoint.renamed(entry["urn"], environment, stack) for entry in [*carried, *moving]}
    root = next(urns[entry["urn"]] for entry in moving if entry["type"] == _MODEL)
    _rehang_queries(moving, urns, stack, _MODEL)

    def provider(reference: str) -> str:
        urn, _, identifier = reference.rpartition("::")
        return f"{urns[urn]}::{identifier}"

    # Queries come last: in the catalog's state they lie before the model, which is their parent now.
    ordered = sorted(moving, key=lambda entry: entry["type"] == _QUERY)
    entries = [checkpoint.rewritten(entry, urns, provider) for entry in [*carried, *ordered]]
    for entry in entries:
        if entry["type"] == STACK:
            entry["outputs"] = _outputs_of_model(checkpoint.outputs(entry), model)
        if entry["type"] == _QUERY:
            entry["parent"] = root
    return checkpoint.with_resources(document, entries)


def _coming_home(document: Document, environment: str, model: str, platform: Sequence[Entry]) -> list[Entry]:
    """The resources of a model's stack as the environment's own stack names them."""
    stack = model_stack(environment, model)
    moving = [entry for entry in checkpoint.resources(document) if not checkpoint.is_bookkeeping(entry)]
    urns = {entry["urn"]: checkpoint.renamed(entry["urn"], stack, environment) for entry in moving}
    for entry in checkpoint.resources(document):
        if entry["type"] == STACK:
            urns[entry["urn"]] = next(each["urn"] for each in platform if each["type"] == STACK)
    _rehang_queries(moving, urns, environment, _CATALOG)
    providers = {(each["type"], name_of(each["urn"])): f"{each['urn']}::{each.get('id', '')}" for each in platform}

    def provider(reference: str) -> str:
        urn = urn_in(reference)
        found = providers.get((type_of(urn), name_of(urn)))
        if found is None:
            raise StateError(
                f"{environment} has no provider {name_of(urn)} for the resources of {stack}; apply it first"
            )
        return found

    entries = [checkpoint.rewritten(entry, urns, provider) for entry in moving]
    for entry in entries:
        if entry["type"] == _QUERY:
            entry["parent"] = next(each["urn"] for each in platform if each["type"] == _CATALOG)
    return entries


def _rehang_queries(moving: Iterable[Entry], urns: dict[str, str], stack: str, parent: str) -> None:
    for entry in moving:
        urn = entry["urn"]
        if entry["type"] == _QUERY:
            urns[urn] = checkpoint.make_urn(stack, checkpoint.project_of(urn), f"{parent}${_QUERY}", name_of(urn))


def _owners(entries: Sequence[Entry]) -> dict[str, str]:
    """The model of each resource that belongs to one, by URN; in a state parents come before their children."""
    owners: dict[str, str] = {}
    tables: dict[str, str] = {}
    for entry in entries:
        urn = entry["urn"]
        if qualified_type(urn) in MODEL_ROOTS:
            owners[urn] = name_of(urn)
            tables[name_of(urn).replace("-", "_")] = name_of(urn)
        elif entry.get("parent") in owners:
            owners[urn] = owners[entry["parent"]]
    for entry in entries:
        table = name_of(entry["urn"]).partition("-")[0]
        if qualified_type(entry["urn"]) == f"{_CATALOG}${_QUERY}" and table in tables:
            owners[entry["urn"]] = tables[table]
    return owners


def _outputs_of_model(outputs: Mapping[str, Any], model: str) -> dict[str, Any]:
    kept = {key: value for key, value in outputs.items() if key in _OF_MODELS}
    for key in _BY_MODEL:
        if key in kept:
            kept[key] = {name: value for name, value in kept[key].items() if name == model}
    return kept
