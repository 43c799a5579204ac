"""What the program asks for: one RegisterResource request, decoded."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from pulumi.runtime.proto import alias_pb2, resource_pb2

from rehearsal.engine.urn import PROVIDER_PREFIX, make_urn, name_of, type_of
from rehearsal.provider.wire import from_struct, secret_keys


@dataclass(frozen=True, kw_only=True)
class Goal:
    """One resource as declared. `provider` is `<urn>::<id>` of an explicit provider, or empty."""

    urn: str
    type: str
    name: str
    custom: bool
    parent: str = ""
    inputs: dict[str, Any] = field(default_factory=dict[str, Any])
    provider: str = ""
    dependencies: tuple[str, ...] = ()
    property_dependencies: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    protect: bool = False
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    delete_before_replace: bool | None = None
    aliases: tuple[str, ...] = ()
    retain_on_delete: bool = False
    deleted_with: str = ""
    import_id: str = ""
    secrets: tuple[str, ...] = ()

    @property
    def is_provider(self) -> bool:
        """Whether this is an explicit provider, which exists nowhere on AWS."""
        return self.type.startswith(PROVIDER_PREFIX)


def goal_of(request: resource_pb2.RegisterResourceRequest, *, stack: str, project: str) -> Goal:
    """Decode `request` for the resource's place in the stack."""
    urn = make_urn(stack=stack, project=project, parent=request.parent, type_=request.type, name=request.name)
    declared = cast("Iterable[alias_pb2.Alias]", request.aliases)  # pyright: ignore[reportUnknownMemberType]
    specs = tuple(_alias_urn(alias, request, stack=stack, project=project) for alias in declared)
    return Goal(
        urn=urn,
        type=request.type,
        name=request.name,
        custom=request.custom,
        parent=request.parent,
        inputs=from_struct(request.object),
        provider=request.provider,
        dependencies=tuple(sorted(request.dependencies)),
        property_dependencies={key: tuple(sorted(deps.urns)) for key, deps in request.propertyDependencies.items()},
        protect=request.protect,
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        aliases=(*request.aliasURNs, *specs),
        retain_on_delete=request.retainOnDelete,
        deleted_with=request.deletedWith,
        import_id=request.importId,
        secrets=_secrets(request),
    )


def _secrets(request: resource_pb2.RegisterResourceRequest) -> tuple[str, ...]:
    return tuple(sorted({*secret_keys(request.object), *request.additionalSecretOutputs}))


def _alias_urn(
    alias: alias_pb2.Alias, request: resource_pb2.RegisterResourceRequest, *, stack: str, project: str
) -> str:
    if alias.WhichOneof("alias") == "urn":
        return alias.urn
    spec = alias.spec
    parent = "" if spec.noParent else (spec.parentUrn or request.parent)
    return make_urn(
        stack=spec.stack or stack,
        project=spec.project or project,
        parent=parent,
        type_=spec.type or request.type,
        name=spec.name or request.name,
    )


def inherited_aliases(goal: Goal, parent_aliases: tuple[str, ...], *, stack: str, project: str) -> tuple[str, ...]:
    """What the resource was called while its parent had another name."""
    own = [(type_of(urn), name_of(urn)) for urn in goal.aliases]
    return tuple(
        make_urn(stack=stack, project=project, parent=parent, type_=type_, name=name)
        for parent in parent_aliases
        for type_, name in [(goal.type, goal.name), *own]
    )
