"""The program under Pulumi's own mocks: what each stack declares, recorded and looked at, nothing applied."""

import asyncio
import contextvars
import functools
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi.runtime
import pytest
import yaml
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks, MockSettings
from pulumi.runtime.settings import configure, set_root_resource

from infra.platform import declare
from infra.settings import SETTINGS_KEY, stack_file
from infra.sources import project_directory

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


class _Echo(Mocks):
    """Answers with the inputs, and with those outputs that the program hands on."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        made_up = {
            "arn": f"arn:aws:made-up:::{args.name}",
            "name": args.name,
            "keyId": f"{args.name}-key",
            "repositoryUrl": f"registry/{args.name}",
            "prefixListId": "pl-12345678",
            "url": f"https://queue/{args.name}",
        }
        if args.typ == "aws:lakeformation/resource:Resource":
            made_up.pop("arn")
        return f"{args.name}-id", {**made_up, **args.inputs}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], None]:
        raise AssertionError(f"the program looks up {args.token}, which depends on what is there already")


class _Recorder(MockMonitor):
    def __init__(self, program: Program) -> None:
        super().__init__(_Echo())
        self._program = program

    def RegisterResource(self, request: Any) -> Any:
        if request.type != "pulumi:pulumi:Stack":
            inputs = pulumi.runtime.rpc.deserialize_properties(request.object)
            self._program.resources.append(
                Resource(
                    type=request.type,
                    name=request.name,
                    inputs=dict(inputs),
                    parent=request.parent,
                    protect=request.protect,
                    provider=request.provider,
                    custom=request.custom,
                )
            )
        return super().RegisterResource(request)


class _Log:
    def __init__(self, program: Program) -> None:
        self._program = program

    def Log(self, request: Any) -> None:
        if request.severity >= 2:  # warning
            self._program.warnings.append(request.message)


def stack_config(stack: str, **changes: Any) -> dict[str, str]:
    """The configuration as Pulumi hands it to the program, with some of the settings changed."""
    settings = yaml.safe_load(stack_file(project_directory(), stack).read_text())["config"][SETTINGS_KEY]
    return {SETTINGS_KEY: json.dumps({**settings, **changes})}


def run(body: Callable[[], None], config: Mapping[str, str], stack: str = "local") -> Program:
    """Run `body` as a Pulumi program in a thread and a context of its own; raises what it raises."""
    program = Program()
    raised: list[BaseException] = []

    def target() -> None:
        try:
            contextvars.copy_context().run(_in_context, body, config, stack, program)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    if raised:
        raise raised[0]
    return program


def _in_context(body: Callable[[], None], config: Mapping[str, str], stack: str, program: Program) -> None:
    monitor = _Recorder(program)
    configure(
        MockSettings(
            monitor=monitor,
            monitor_features=set(monitor.GetDeploymentInfo(None).supportedFeatures),
            engine=_Log(program),
            project="drivetrain",
            stack=stack,
            dry_run=False,
            organization=None,
            callbacks=None,
        )
    )
    set_root_resource(None)  # pyright: ignore[reportArgumentType]
    pulumi.runtime.set_all_config(dict(config))

    async def main() -> None:
        body()

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(main))
    finally:
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
