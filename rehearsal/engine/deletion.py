"""Deleting resources in reverse dependency order, several at a time.

A resource goes only after everything that depends on it is gone; when one cannot be deleted, what it depends on stays
and the rest is still removed.
"""

import time
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from rehearsal.engine.checkpoint import needs
from rehearsal.engine.providers import ProviderTable
from rehearsal.engine.resource_state import ResourceState
from rehearsal.engine.results import Event, PolicyViolationError, Progress, ProtectedError, Status, StepFailure
from rehearsal.engine.state import StackStore
from rehearsal.engine.urn import PROVIDER_PREFIX
from rehearsal.provider import lifecycle
from rehearsal.provider.registry import handler_of

WORKERS = 8


@dataclass(kw_only=True)
class Deletion:
    """What came of a round of deletions."""

    deleted: list[str] = field(default_factory=list[str])
    failures: list[StepFailure] = field(default_factory=list[StepFailure])
    skipped: list[str] = field(default_factory=list[str])


def refuse_protected(resources: Iterable[ResourceState]) -> None:
    """Raise ProtectedError, naming all of them, before any is touched."""
    protected = [
        resource.urn for resource in resources if resource.custom and resource.protect and not resource.pending_delete
    ]
    if protected:
        raise ProtectedError(protected)


def delete_all(
    resources: Iterable[ResourceState], store: StackStore, providers: ProviderTable, progress: Progress
) -> Deletion:
    """Delete `resources` and forget them; failures are collected, never raised."""
    outcome = Deletion()
    waiting = {resource.key: resource for resource in resources}
    gone_with = {resource.urn for resource in waiting.values()}

    def work(resource: ResourceState) -> None:
        delete_one(resource, store, providers, progress, gone_with=gone_with)

    with ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="delete") as pool:
        running: dict[Future[None], ResourceState] = {}
        while waiting or running:
            for resource in _free(waiting, running.values()):
                del waiting[resource.key]
                running[pool.submit(work, resource)] = resource
            if not running:
                break
            for done in wait(running, return_when=FIRST_COMPLETED).done:
                resource = running.pop(done)
                error = done.exception()
                if error is None:
                    outcome.deleted.append(resource.urn)
                else:
                    outcome.failures.append(_failure(resource, error))
                    outcome.skipped += _drop_needed_by(resource, waiting)
    return outcome


def delete_one(
    resource: ResourceState,
    store: StackStore,
    providers: ProviderTable,
    progress: Progress,
    *,
    gone_with: Iterable[str] = (),
) -> None:
    """Delete one resource on AWS unless it is only recorded, and forget it."""
    if is_real(resource) and not resource.retain_on_delete and resource.deleted_with not in gone_with:
        began = time.monotonic()
        _tell(progress, resource, "started")
        try:
            aws = providers.of(resource.provider).clients
            lifecycle.delete(handler_of(resource.type), aws, resource.id, resource.outputs)
        except Exception as error:
            _tell(progress, resource, "failed", time.monotonic() - began, str(error))
            raise
        _tell(progress, resource, "done", time.monotonic() - began)
    store.drop(resource.key)


def is_real(resource: ResourceState) -> bool:
    """Whether it exists on AWS and belongs to the stack."""
    return resource.custom and not resource.external and not resource.type.startswith(PROVIDER_PREFIX)


def _free(waiting: dict[str, ResourceState], running: Iterable[ResourceState]) -> list[ResourceState]:
    needed: set[str] = set()
    for resource in [*waiting.values(), *running]:
        needed.update(needs(resource))
    return [resource for resource in reversed(waiting.values()) if resource.urn not in needed]


def _drop_needed_by(failed: ResourceState, waiting: dict[str, ResourceState]) -> list[str]:
    dropped: list[str] = []
    todo = set(needs(failed))
    while todo:
        urn = todo.pop()
        for key in [key for key, resource in waiting.items() if resource.urn == urn]:
            resource = waiting.pop(key)
            dropped.append(resource.urn)
            todo.update(needs(resource))
    return dropped


def _failure(resource: ResourceState, error: BaseException) -> StepFailure:
    return StepFailure(operation="delete", urn=resource.urn, type=resource.type, message=message_of(error))


def message_of(error: BaseException) -> str:
    """One line: what AWS said, or what kind of error it was."""
    text = " ".join(str(error).split())
    return text if isinstance(error, EXPECTED) and text else f"{type(error).__name__}: {text}"


EXPECTED: tuple[type[BaseException], ...] = (
    lifecycle.AwsRefusedError,
    lifecycle.ResourceGoneError,
    PolicyViolationError,
)


def _tell(progress: Progress, resource: ResourceState, status: Status, seconds: float = 0.0, message: str = "") -> None:
    progress(
        Event(
            operation="delete",
            status=status,
            urn=resource.urn,
            type=resource.type,
            seconds=seconds,
            message=message,
        )
    )
