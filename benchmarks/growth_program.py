"""One run of the Pulumi program for `benchmarks.growth`: `python -m benchmarks.growth_program PROJECT`, JSON on stdout.

The program of the folder PROJECT runs as in a deployment, under Pulumi's own mock monitor: every resource is registered
and answered with outputs at once, so that all the program computes is computed, and nothing else is measured.
"""

import asyncio
import ctypes
import gc
import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pulumi.runtime
import yaml
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks
from pulumi.runtime.proto import resource_pb2
from pulumi.runtime.settings import Settings, configure, set_root_resource

ENVIRONMENT = "dev"
_REFERENCE = "pulumi:pulumi:StackReference"


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one stack took: processor seconds of the program, bytes of its checkpoint by what it registered."""

    resources: int
    seconds: float
    checkpoint_bytes: int


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Every stack of an environment, the platform's first, and the most memory above what imports took."""

    runs: list[Run]
    memory_bytes: int


class _Nothing(Mocks):
    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        raise AssertionError(args.typ)

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        raise AssertionError(args.token)


class _Monitor(MockMonitor):
    """Answers with the inputs and with the outputs that the program hands on; counts, and keeps nothing."""

    def __init__(self, platform: Mapping[str, Any]) -> None:
        super().__init__(_Nothing())
        self._platform, self._lock = platform, threading.Lock()
        self.registered, self.size = 0, 0
        self.outputs: dict[str, Any] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - gRPC's name
        urn = self.make_urn(request.parent, request.type, request.name)
        with self._lock:
            self.registered += 1
            # A checkpoint holds the inputs, and the outputs with the inputs in them.
            self.size += 2 * int(request.object.ByteSize())
        answer = struct_pb2.Struct()
        names = ("arn", "name", "keyId", "repositoryUrl", "prefixListId", "url", "bucket", "key")
        answer.update({name: f"{name}-of-{request.name}" for name in names})
        answer.MergeFrom(request.object)
        return resource_pb2.RegisterResourceResponse(urn=urn, id=f"{request.name}-id", object=answer)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - gRPC's name
        if "pulumi:pulumi:Stack::" in request.urn:
            self.outputs = json_format.MessageToDict(request.outputs)
        return empty_pb2.Empty()

    def ReadResource(self, request: Any) -> Any:  # noqa: N802 - gRPC's name
        if request.type != _REFERENCE:
            raise AssertionError(request.type)
        answer = struct_pb2.Struct()
        answer.update({"name": request.id, "outputs": self._platform, "secretOutputNames": []})
        urn = self.make_urn(request.parent, request.type, request.name)
        return resource_pb2.ReadResourceResponse(urn=urn, properties=answer)


class _Silent:
    def Log(self, request: Any) -> None:  # noqa: N802 - gRPC's name
        """Warnings are for who applies the stack."""


def measure(project_dir: Path) -> Figures:
    """Run the program for every stack of the environment, one after another."""
    sys.path.insert(0, str(project_dir))
    from infra.model_folders import model_names  # noqa: PLC0415 - the project's own, not this checkout's
    from infra.platform import declare  # noqa: PLC0415
    from infra.scope import model_stack  # noqa: PLC0415

    document = yaml.safe_load((project_dir / f"Pulumi.{ENVIRONMENT}.yaml").read_text(encoding="utf-8"))
    config = {key: json.dumps(value) for key, value in document["config"].items()}
    scope = document["config"]["drivetrain:settings"].get("scope", "stack")
    memory = _Memory()
    platform, outputs = _run(declare, config, ENVIRONMENT, {})
    runs = [platform]
    if scope == "models":
        stacks = [model_stack(ENVIRONMENT, model) for model in model_names(project_dir)]
        runs += [_run(declare, config, stack, outputs)[0] for stack in stacks]
    return Figures(runs=runs, memory_bytes=memory.peak_bytes)


def _run(
    program: Callable[[], None], config: Mapping[str, str], stack: str, platform: Mapping[str, Any]
) -> tuple[Run, dict[str, Any]]:
    monitor = _Monitor(platform)
    log: Any = _Silent()
    configure(
        Settings(
            project="drivetrain", stack=stack, monitor=monitor, engine=log, dry_run=False, organization="organization"
        )
    )
    set_root_resource(None)  # pyright: ignore[reportArgumentType]  the run before left one
    pulumi.runtime.set_all_config(dict(config))

    async def body() -> None:
        program()

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # As many at once as the real language host takes by default.
    executor = ThreadPoolExecutor(max_workers=16)
    loop.set_default_executor(executor)
    began = time.process_time()
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(body))
    finally:
        executor.shutdown()
        asyncio.set_event_loop(None)
        loop.close()
    seconds = time.process_time() - began
    return Run(resources=monitor.registered, seconds=seconds, checkpoint_bytes=monitor.size), monitor.outputs


class _Memory:
    """The most memory that this process held since it was made, above what it held then; of Linux's own counters."""

    def __init__(self) -> None:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)  # what imports took and gave back would hide what the program takes
        self._before = self._kib("VmRSS")
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # proc(5): the peak begins anew

    @property
    def peak_bytes(self) -> int:
        return (self._kib("VmHWM") - self._before) * 1024

    def _kib(self, name: str) -> int:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


if __name__ == "__main__":
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    json.dump(asdict(measure(Path(sys.argv[1]).resolve())), sys.stdout)
