"""The program under Pulumi's own mocks: what each stack declares, recorded and looked at, nothing applied."""

import asyncio
import contextvars
import functools
import json
import logging
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi.runtime
import pytest
import yaml
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import Settings, configure, set_root_resource

from infra.settings import SETTINGS_KEY, stack_file
from infra.sources import project_directory
from rehearsal.provider.wire import from_struct, to_struct

with warnings.catch_warnings():
    # pulumi_aws warns of its own old names as it is imported, whether or not anyone uses one of them.
    warnings.filterwarnings("ignore", message=r".+ has been deprecated in favor of", category=DeprecationWarning)
    from infra.platform import declare

STACKS = ("local", "dev", "staging", "production")


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource as the program registered it."""

    type: str
    name: str
    inputs: dict[str, Any]
    parent: str
    """URN of the parent; of the stack for what is at the top."""
    protect: bool
    provider: str
    custom: bool

    def policy(self, key: str = "policy") -> dict[str, Any]:
        return json.loads(self.inputs[key])


@dataclass
class Program:
    """Everything that one run of the program declared."""

    resources: list[Resource] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    """What the stack exports."""
    warnings: list[str] = field(default_factory=list)

    def of(self, type_: str) -> list[Resource]:
        return [resource for resource in self.resources if resource.type == type_]

    def one(self, type_: str, name: str) -> Resource:
        found = [resource for resource in self.of(type_) if resource.name == name]
        assert len(found) == 1, f"{len(found)} of {type_} {name}: {[each.name for each in self.of(type_)]}"
        return found[0]

    def statements(self) -> Iterator[tuple[Resource, dict[str, Any]]]:
        """Every statement of every policy of every resource."""
        for resource in self.resources:
            for key in ("policy", "assumeRolePolicy", "policyDocument", "resourcePolicy"):
                document = resource.inputs.get(key)
                if isinstance(document, str) and '"Statement"' in document:
                    yield from ((resource, each) for each in json.loads(document)["Statement"])


class _NoMocks(Mocks):
    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        raise AssertionError(f"the program reads {args.typ} {args.name}, which depends on what is there already")

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], None]:
        raise AssertionError(f"the program looks up {args.token}, which depends on what is there already")


class _Recorder(MockMonitor):
    """Records what is registered; answers with the inputs, and with those outputs that the program hands on."""

    def __init__(self, program: Program, other_stacks: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__(_NoMocks())
        self._program = program
        self._other_stacks = other_stacks

    def ReadResource(self, request: Any) -> resource_pb2.ReadResourceResponse:
        if request.type != "pulumi:pulumi:StackReference":
            return super().ReadResource(request)
        urn = self.make_urn(request.parent, request.type, request.name)
        found = {"name": request.id, "outputs": self._other_stacks[request.id], "secretOutputNames": []}
        return resource_pb2.ReadResourceResponse(urn=urn, properties=to_struct(found))

    def RegisterResourceOutputs(self, request: Any) -> Any:
        if "pulumi:pulumi:Stack::" in request.urn:
            self._program.outputs = from_struct(request.outputs)
        return super().RegisterResourceOutputs(request)

    def RegisterResource(self, request: Any) -> resource_pb2.RegisterResourceResponse:
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == "pulumi:pulumi:Stack":
            return resource_pb2.RegisterResourceResponse(urn=urn)
        inputs = from_struct(request.object)
        self._program.resources.append(
            Resource(
                type=request.type,
                name=request.name,
                inputs=inputs,
                parent=request.parent,
                protect=request.protect,
                provider=request.provider,
                custom=request.custom,
            )
        )
        made_up = {
            "arn": f"arn:aws:made-up:::{request.name}",
            "name": request.name,
            "keyId": f"{request.name}-key",
            "repositoryUrl": f"registry/{request.name}",
            "prefixListId": "pl-12345678",
            "url": f"https://queue/{request.name}",
        }
        outputs = to_struct({**made_up, **inputs})
        return resource_pb2.RegisterResourceResponse(urn=urn, id=f"{request.name}-id", object=outputs)


class _Log:
    def __init__(self, program: Program) -> None:
        self._program = program

    def Log(self, request: Any) -> None:
        if request.severity >= 2:  # warning
            self._program.warnings.append(request.message)


def stack_config(stack: str, **changes: Any) -> dict[str, str]:
    """The configuration as Pulumi hands it to the program, with some of the settings changed, and nothing released."""
    settings = yaml.safe_load(stack_file(project_directory(), stack).read_text())["config"][SETTINGS_KEY]
    # What a user of the checkout has released is not what is tested.
    unreleased = {"releases": str(Path(__file__).with_name("nothing-released"))}
    return {SETTINGS_KEY: json.dumps({**settings, **unreleased, **changes})}


def run(
    body: Callable[[], None],
    config: Mapping[str, str],
    stack: str = "local",
    other_stacks: Mapping[str, Mapping[str, Any]] | None = None,
) -> Program:
    """Run `body` as a Pulumi program in a thread and a context of its own; raises what it raises.

    `other_stacks` are the outputs of the stacks that it may refer to, by `<organization>/<project>/<stack>`.
    """
    program = Program()
    raised: list[BaseException] = []

    def target() -> None:
        try:
            contextvars.copy_context().run(_in_context, body, config, stack, program, other_stacks or {})
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]
    return program


def _in_context(
    body: Callable[[], None],
    config: Mapping[str, str],
    stack: str,
    program: Program,
    other_stacks: Mapping[str, Mapping[str, Any]],
) -> None:
    log: Any = _Log(program)
    configure(
        Settings(
            project="drivetrain",
            stack=stack,
            monitor=_Recorder(program, other_stacks),
            engine=log,
            dry_run=False,
            organization="organization",
        )
    )
    set_root_resource(None)  # pyright: ignore[reportArgumentType]
    pulumi.runtime.set_all_config(dict(config))

    async def main() -> None:
        body()

    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # as Pulumi does: what failed is raised by run_in_stack
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max_workers=4)
    loop.set_default_executor(executor)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(main))
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
            with suppress(BaseException):
                loop.run_until_complete(task)
        executor.shutdown()
        asyncio.set_event_loop(None)
        loop.close()


@functools.cache
def _declared(stack: str) -> Program:
    return run(declare, stack_config(stack), stack)


@pytest.fixture(params=STACKS)
def program(request: pytest.FixtureRequest) -> Program:
    """What a stack declares; a test that takes this runs for every stack."""
    return _declared(request.param)


@pytest.fixture
def declared() -> Callable[[str], Program]:
    """What the stack of that name declares."""
    return _declared


@pytest.fixture
def run_program() -> Callable[..., Program]:
    """`run`, for a part of the program or for changed settings."""
    return run


@pytest.fixture
def config() -> Callable[..., dict[str, str]]:
    """`stack_config`."""
    return stack_config


@pytest.fixture
def project_dir() -> Path:
    return project_directory()
