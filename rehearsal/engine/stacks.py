"""Applying, previewing, destroying and refreshing a stack: the engine as the command line and the tests see it.

The state is a file of the caller's, or any other StackStorage.
"""

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rehearsal.engine.deletion import delete_all, is_real, refuse_protected
from rehearsal.engine.deployment import Deployment
from rehearsal.engine.program import run_program
from rehearsal.engine.project import Project, load_project
from rehearsal.engine.providers import ProviderTable
from rehearsal.engine.refreshing import refresh_all
from rehearsal.engine.resource_state import ResourceState
from rehearsal.engine.results import (
    DeploymentFailedError,
    DestroyResult,
    EngineError,
    Event,
    Inspect,
    Operation,
    Plan,
    Progress,
    RefreshResult,
    Step,
    UpResult,
)
from rehearsal.engine.state import StackStore
from rehearsal.engine.storage import DiscardedStorage, StackStorage, storage_at


class WrongAccountError(EngineError):
    """The state was made with another account."""


def up(
    project_dir: Path,
    stack: str,
    state: Path | StackStorage,
    environment: Mapping[str, str],
    settings_override: Mapping[str, Any] | None = None,
    *,
    progress: Progress | None = None,
    config_file: Path | None = None,
    refresh_first: bool = False,
    inspect: Inspect | None = None,
) -> UpResult:
    """Bring AWS to what the program declares; what `inspect` has something against is a failure and is not touched.

    `environment` holds the endpoint, region and credentials; nothing is read from the process's own. Raises what the
    program raises, DeploymentFailedError, ProtectedError, StackLockedError and other EngineErrors. What was made before
    an error is in the state.
    """
    began = time.monotonic()
    project = load_project(project_dir, stack, settings_override, config_file)
    with _opened(storage_at(state), project) as store:
        deployment = _deployment(project, store, environment, preview=False, progress=progress, inspect=inspect)
        if refresh_first:
            refresh_all(store, deployment.providers)
        log = run_program(project, deployment)
        _refuse_failures(deployment)
        leftovers = deployment.leftovers()
        removed = deployment.delete_leftovers()
        if removed.failures:
            raise DeploymentFailedError(tuple(removed.failures), tuple(removed.skipped))
    by_operation = _urns(deployment.steps)
    replaced = set(by_operation["replace"])
    return UpResult(
        created=(*by_operation["create"], *by_operation["import"]),
        updated=by_operation["update"],
        replaced=by_operation["replace"],
        deleted=tuple(urn for urn in removed.deleted if urn not in replaced),
        same=by_operation["same"],
        outputs=deployment.outputs,
        seconds=time.monotonic() - began,
        every_step=(*deployment.every_step, *_removals(leftovers)),
        messages=tuple(log.messages),
    )


def preview(
    project_dir: Path,
    stack: str,
    state: Path | StackStorage,
    environment: Mapping[str, str],
    settings_override: Mapping[str, Any] | None = None,
    *,
    config_file: Path | None = None,
    refresh_first: bool = False,
) -> Plan:
    """What `up` would do; nothing is made, changed or written. Raises as `up` does."""
    began = time.monotonic()
    project = load_project(project_dir, stack, settings_override, config_file)
    store = StackStore(DiscardedStorage(storage_at(state)))
    deployment = _deployment(project, store, environment, preview=True, progress=None)
    refreshed = refresh_all(store, deployment.providers) if refresh_first else ()
    log = run_program(project, deployment)
    _refuse_failures(deployment)
    removals = _removals(deployment.leftovers())
    return Plan(
        steps=(*deployment.steps, *(step for step in removals if step.is_real)),
        seconds=time.monotonic() - began,
        every_step=(*deployment.every_step, *removals),
        refreshed=refreshed,
        messages=tuple(log.messages),
    )


def destroy(
    project_dir: Path,
    stack: str,
    state: Path | StackStorage,
    environment: Mapping[str, str],
    *,
    progress: Progress | None = None,
    config_file: Path | None = None,
) -> DestroyResult:
    """Delete everything the state holds; raises ProtectedError before anything is touched."""
    began = time.monotonic()
    project = load_project(project_dir, stack, {}, config_file)
    with _opened(storage_at(state), project) as store:
        resources = list(store.resources.values())
        refuse_protected(resources)
        providers = _providers(project, store, environment)
        real = {resource.urn for resource in resources if is_real(resource)}
        outcome = delete_all(resources, store, providers, progress or _silent)
        if outcome.failures:
            raise DeploymentFailedError(tuple(outcome.failures), tuple(outcome.skipped))
        store.account_id = ""
    deleted = tuple(urn for urn in outcome.deleted if urn in real)
    return DestroyResult(deleted=deleted, seconds=time.monotonic() - began, every_step=_removals(resources))


def refresh(
    project_dir: Path,
    stack: str,
    state: Path | StackStorage,
    environment: Mapping[str, str],
    *,
    config_file: Path | None = None,
) -> RefreshResult:
    """Read every resource back from AWS into the state, so that the next `up` puts right what has drifted."""
    began = time.monotonic()
    project = load_project(project_dir, stack, {}, config_file)
    with _opened(storage_at(state), project) as store:
        steps = refresh_all(store, _providers(project, store, environment))
    by_operation = _urns(steps)
    return RefreshResult(
        gone=by_operation["delete"],
        drifted=by_operation["update"],
        seconds=time.monotonic() - began,
        every_step=steps,
    )


@contextmanager
def _opened(storage: StackStorage, project: Project) -> Generator[StackStore]:
    with storage.held():
        store = StackStore(storage)
        store.stack = f"organization/{project.name}/{project.stack}"
        try:
            yield store
        finally:
            store.commit()


def _providers(project: Project, store: StackStore, environment: Mapping[str, str]) -> ProviderTable:
    prefix = "aws:"
    defaults = {key.removeprefix(prefix): value for key, value in project.config.items() if key.startswith(prefix)}
    providers = ProviderTable(environment, store, defaults)
    account = providers.account_id()
    if store.account_id and store.account_id != account:
        raise WrongAccountError(
            f"the state of {project.stack} belongs to account {store.account_id}, the credentials to {account}"
        )
    store.account_id = account
    return providers


def _deployment(
    project: Project,
    store: StackStore,
    environment: Mapping[str, str],
    *,
    preview: bool,
    progress: Progress | None,
    inspect: Inspect | None = None,
) -> Deployment:
    return Deployment(
        stack=project.stack,
        project=project.name,
        folder=project.folder,
        store=store,
        providers=_providers(project, store, environment),
        preview=preview,
        progress=progress or _silent,
        inspect=inspect,
    )


def _refuse_failures(deployment: Deployment) -> None:
    if deployment.failures:
        raise DeploymentFailedError(deployment.failures, deployment.skipped)


def _urns(steps: Sequence[Step]) -> dict[Operation, tuple[str, ...]]:
    kinds: tuple[Operation, ...] = ("create", "update", "replace", "same", "read", "import", "delete")
    return {kind: tuple(step.urn for step in steps if step.operation == kind) for kind in kinds}


def _removals(leftovers: Sequence[ResourceState]) -> tuple[Step, ...]:
    return tuple(Step(operation="delete", urn=gone.urn, type=gone.type, old=gone) for gone in leftovers)


def _silent(event: Event) -> None:
    del event
