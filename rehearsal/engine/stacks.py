"""Applying, previewing, destroying and refreshing a stack: the engine as the command line and the tests see it."""

import dataclasses
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rehearsal.engine.deletion import delete_all, refuse_protected
from rehearsal.engine.deployment import Deployment
from rehearsal.engine.program import run_program
from rehearsal.engine.project import Project, load_project
from rehearsal.engine.providers import ProviderTable
from rehearsal.engine.results import (
    DeploymentFailedError,
    DestroyResult,
    EngineError,
    Event,
    Operation,
    Plan,
    Progress,
    RefreshResult,
    Step,
    UpResult,
)
from rehearsal.engine.state import ResourceState, StackStore, locked
from rehearsal.engine.urn import PROVIDER_PREFIX
from rehearsal.provider import lifecycle
from rehearsal.provider.registry import handler_of


class WrongAccountError(EngineError):
    """The state was made with another account."""


def up(
    project_dir: Path,
    stack: str,
    state_file: Path,
    environment: Mapping[str, str],
    settings_override: Mapping[str, Any] | None = None,
    *,
    progress: Progress | None = None,
) -> UpResult:
    """Bring AWS to what the program declares.

    `environment` holds the endpoint, region and credentials; nothing is read from the process's own. Raises what the
    program raises, DeploymentFailedError, ProtectedError, StackLockedError and other EngineErrors. What was made before
    an error is in the state.
    """
    began = time.monotonic()
    project = load_project(project_dir, stack, settings_override)
    with locked(state_file), _opened(state_file) as store:
        deployment = _deployment(project, store, environment, preview=False, progress=progress)
        run_program(project, deployment)
        _refuse_failures(deployment)
        store.outputs = deployment.outputs
        removed = deployment.delete_leftovers()
        if removed.failures:
            raise DeploymentFailedError(tuple(removed.failures), tuple(removed.skipped))
    by_operation = _urns(deployment.steps)
    replaced = set(by_operation["replace"])
    return UpResult(
        created=by_operation["create"],
        updated=by_operation["update"],
        replaced=by_operation["replace"],
        deleted=tuple(urn for urn in removed.deleted if urn not in replaced),
        same=by_operation["same"],
        outputs=deployment.outputs,
        seconds=time.monotonic() - began,
    )


def preview(
    project_dir: Path,
    stack: str,
    state_file: Path,
    environment: Mapping[str, str],
    settings_override: Mapping[str, Any] | None = None,
) -> Plan:
    """What `up` would do; nothing is made, changed or written. Raises as `up` does."""
    began = time.monotonic()
    project = load_project(project_dir, stack, settings_override)
    store = StackStore(state_file)
    deployment = _deployment(project, store, environment, preview=True, progress=None)
    run_program(project, deployment)
    _refuse_failures(deployment)
    gone = [resource for resource in deployment.leftovers() if _is_real(resource)]
    removals = tuple(Step(operation="delete", urn=resource.urn, type=resource.type) for resource in gone)
    return Plan(steps=(*deployment.steps, *removals), seconds=time.monotonic() - began)


def destroy(
    project_dir: Path,
    stack: str,
    state_file: Path,
    environment: Mapping[str, str],
    *,
    progress: Progress | None = None,
) -> DestroyResult:
    """Delete everything the state holds; raises ProtectedError before anything is touched."""
    began = time.monotonic()
    project = load_project(project_dir, stack, {})
    with locked(state_file), _opened(state_file) as store:
        resources = list(store.resources.values())
        refuse_protected(resources)
        providers = _providers(project, store, environment)
        real = {resource.urn for resource in resources if _is_real(resource)}
        outcome = delete_all(resources, store, providers, progress or _silent)
        store.outputs = {}
        if outcome.failures:
            raise DeploymentFailedError(tuple(outcome.failures), tuple(outcome.skipped))
        store.account_id = ""
    deleted = tuple(urn for urn in outcome.deleted if urn in real)
    return DestroyResult(deleted=deleted, seconds=time.monotonic() - began)


def refresh(
    project_dir: Path,
    stack: str,
    state_file: Path,
    environment: Mapping[str, str],
) -> RefreshResult:
    """Read every resource back from AWS into the state, so that the next `up` puts right what has drifted."""
    began = time.monotonic()
    project = load_project(project_dir, stack, {})
    gone: list[str] = []
    drifted: list[str] = []
    with locked(state_file), _opened(state_file) as store:
        providers = _providers(project, store, environment)
        for resource in store.resources.values():
            if not _is_real(resource):
                continue
            aws = providers.of(resource.provider).clients
            outputs = lifecycle.read(handler_of(resource.type), aws, resource.id, resource.outputs)
            if outputs is None:
                store.drop(resource.key)
                gone.append(resource.urn)
            elif outputs != resource.outputs:
                inputs = lifecycle.drifted_inputs(resource.inputs, resource.outputs, outputs)
                store.put(dataclasses.replace(resource, inputs=inputs, outputs=outputs))
                if inputs != resource.inputs:
                    drifted.append(resource.urn)
    return RefreshResult(gone=tuple(gone), drifted=tuple(drifted), seconds=time.monotonic() - began)


@contextmanager
def _opened(state_file: Path) -> Generator[StackStore]:
    store = StackStore(state_file)
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
) -> Deployment:
    return Deployment(
        stack=project.stack,
        project=project.name,
        folder=project.folder,
        store=store,
        providers=_providers(project, store, environment),
        preview=preview,
        progress=progress or _silent,
    )


def _refuse_failures(deployment: Deployment) -> None:
    if deployment.failures:
        raise DeploymentFailedError(deployment.failures, deployment.skipped)


def _urns(steps: tuple[Step, ...]) -> dict[Operation, tuple[str, ...]]:
    kinds: tuple[Operation, ...] = ("create", "update", "replace", "same", "read")
    return {kind: tuple(step.urn for step in steps if step.operation == kind) for kind in kinds}


def _is_real(resource: ResourceState) -> bool:
    return resource.custom and not resource.type.startswith(PROVIDER_PREFIX)


def _silent(event: Event) -> None:
    del event
