"""Which resource types a stack declares, asked of the program itself, with nothing applied and no AWS to ask.

The program runs as in a preview, under a monitor that answers every registration with "not known yet".
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pulumi.runtime
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, MockSettings
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import configure, set_root_resource

from infra.platform import declare
from rehearsal.engine.project import Project, load_project


def declared_types(
    project_dir: Path, stack: str, settings: Mapping[str, Any], program: Callable[[], None] = declare
) -> set[str]:
    """The types of the stack's AWS resources; `settings` go over those of its file. Raises what the program raises."""
    project = load_project(project_dir, stack, settings)
    types: set[str] = set()
    raised: list[BaseException] = []

    def target() -> None:
        try:
            contextvars.copy_context().run(_run, project, types, program)
        except BaseException as error:  # handed to the thread that waits
            raised.append(error)

    thread = threading.Thread(target=target, name=f"declared-{stack}")
    thread.start()
    thread.join()
    if raised:
        raise raised[0]
    return {type_ for type_ in types if type_.startswith("aws:")}


class _Recorder(MockMonitor):
    """Answers without reading the inputs: the SDK's own answer opens an event loop per thread and leaves it open."""

    def __init__(self, types: set[str]) -> None:
        super().__init__(_Nothing())
        self._types = types

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - gRPC's name
        if request.custom:
            self._types.add(str(request.type))
        urn = self.make_urn(request.parent, request.type, request.name)
        return resource_pb2.RegisterResourceResponse(urn=urn)


class _Nothing(Mocks):
    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:  # noqa: ARG002
        return None, {}

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:  # noqa: ARG002
        return {}, None


class _Silent:
    def Log(self, request: Any) -> None:  # noqa: N802 - gRPC's name
        """Warnings are for who applies the stack."""


def _run(project: Project, types: set[str], program: Callable[[], None]) -> None:
    monitor = _Recorder(types)
    features: Any = monitor.GetDeploymentInfo(None)  # pyright: ignore[reportUnknownMemberType]  untyped in the SDK
    settings: Any = MockSettings  # its stubs know no engine but Pulumi's
    configure(
        settings(
            monitor=monitor,
            monitor_features=set(features.supportedFeatures),
            engine=_Silent(),
            project=project.name,
            stack=project.stack,
            dry_run=True,
            organization=None,
            callbacks=None,
        )
    )
    set_root_resource(None)  # pyright: ignore[reportArgumentType]  the caller's context may hold one
    pulumi.runtime.set_all_config(project.config)

    async def run() -> None:
        program()

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(run))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
