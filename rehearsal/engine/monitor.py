"""Pulumi's resource monitor, served in-process: what the SDK would ask the real engine, asked of our deployment.

`pulumi.runtime.mocks.MockMonitor` is the SDK's own seam for this; it hands on little of a request, so the whole
request (protect, dependencies, provider, aliases, …) is decoded here instead.
"""

from typing import Any, cast

from google.protobuf import empty_pb2
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto import engine_pb2, resource_pb2

from rehearsal.engine.deployment import Deployment, Registered
from rehearsal.engine.goal import Goal, goal_of
from rehearsal.engine.results import EngineError
from rehearsal.engine.urn import STACK_REFERENCE, make_urn
from rehearsal.provider.invokes import invoke
from rehearsal.provider.wire import from_struct, secret_keys, to_struct


class UnsupportedError(EngineError):
    """The program uses something of Pulumi that the rehearsal does not do."""


class _NoMocks(Mocks):
    def call(self, args: MockCallArgs) -> Any:
        raise UnsupportedError(f"call {args.token}")

    def new_resource(self, args: MockResourceArgs) -> Any:
        raise UnsupportedError(f"resource {args.typ}")


class EngineMonitor(MockMonitor):
    """The monitor of one deployment."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(_NoMocks())
        self._deployment = deployment

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """The URN as the real engine makes it."""
        deployment = self._deployment
        return make_urn(stack=deployment.stack, project=deployment.project, parent=parent, type_=type_, name=name)

    def RegisterResource(self, request: Any) -> resource_pb2.RegisterResourceResponse:  # noqa: N802
        """Bring one resource about."""
        if request.transforms or request.remote:
            raise UnsupportedError(f"{request.type} {request.name}: transforms and remote components need the real CLI")
        goal = goal_of(request, stack=self._deployment.stack, project=self._deployment.project)
        return _answer(self._deployment.register(goal))

    def RegisterResourceOutputs(self, request: Any) -> empty_pb2.Empty:  # noqa: N802
        """The outputs of a component or of the stack."""
        outputs = from_struct(request.outputs)
        self._deployment.register_outputs(request.urn, outputs, secret_keys(request.outputs))
        return empty_pb2.Empty()

    def ReadResource(self, request: Any) -> resource_pb2.ReadResourceResponse:  # noqa: N802
        """Look up what another stack owns."""
        goal = Goal(
            urn=self.make_urn(request.parent, request.type, request.name),
            type=request.type,
            name=request.name,
            custom=True,
            inputs=from_struct(request.properties),
            provider=request.provider,
            parent=request.parent,
            dependencies=tuple(sorted(request.dependencies)),
            secrets=secret_keys(request.properties),
        )
        if goal.type == STACK_REFERENCE:
            taken = self._deployment.read_stack(goal, request.id)
        else:
            taken = self._deployment.read(goal, request.id)
        return resource_pb2.ReadResourceResponse(urn=goal.urn, properties=to_struct(taken.outputs))

    def Invoke(self, request: Any) -> resource_pb2.ResourceInvokeResponse:  # noqa: N802
        """A data source, such as the caller's identity."""
        provider = self._deployment.providers.of(request.provider)
        answer = to_struct(invoke(provider.clients, request.tok, from_struct(request.args)))
        fields: dict[str, Any] = {"return": answer}
        return resource_pb2.ResourceInvokeResponse(**fields)

    def RegisterStackTransform(self, request: Any) -> empty_pb2.Empty:  # noqa: N802
        """Refused: the callbacks of the SDK need a gRPC engine."""
        raise UnsupportedError(f"stack transforms ({request.token}) need the real CLI")


class EngineLog:
    """The engine's log service: what the program says through `pulumi.log` and the SDK's warnings."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, str]] = []

    def Log(self, request: Any) -> None:  # noqa: N802
        """Keep a message of the program."""
        if request.severity != engine_pb2.DEBUG:
            self.messages.append((cast("int", request.severity), cast("str", request.message)))


def _answer(registered: Registered) -> resource_pb2.RegisterResourceResponse:
    return resource_pb2.RegisterResourceResponse(
        urn=registered.urn,
        id=registered.id,
        object=to_struct(registered.outputs),
        result=resource_pb2.Result.SUCCESS if registered.ok else resource_pb2.Result.FAIL,
    )
