"""Running a Pulumi program in this process, with our monitor in place of the engine's.

The SDK keeps its settings in context variables and its tasks on one event loop, so the program gets a thread, a context
and a loop of its own, and nothing of it stays behind. Modules are the exception, Python keeps them per process: the
packages of any project but this checkout are imported afresh and dropped again. One program runs at a time.
"""

import asyncio
import contextvars
import logging
import runpy
import signal
import sys
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

import pulumi
import pulumi.runtime
from pulumi.runtime.settings import Settings, configure, set_root_resource

from rehearsal.engine.deployment import Deployment
from rehearsal.engine.monitor import EngineLog, EngineMonitor
from rehearsal.engine.project import Project
from rehearsal.engine.results import EngineError

PARALLEL = 16
CHECKOUT = Path(__file__).resolve().parents[2]
_one_at_a_time = threading.Lock()


def run_program(project: Project, deployment: Deployment) -> EngineLog:
    """Run `__main__.py` until every resource it declares is settled; raises what the program raised.

    A `pulumi.RunError`, of which Pulumi shows the message alone, becomes an EngineError with that message.
    Ctrl-C lets the resources under way finish, begins no other, then raises KeyboardInterrupt.
    """
    log = EngineLog()
    raised: list[BaseException] = []
    finished = threading.Event()  # not Thread.join: in 3.11 an interrupted join takes a running thread for ended
    context = contextvars.copy_context()

    def target() -> None:
        try:
            context.run(_run, project, deployment, log)
        except BaseException as error:  # handed to the thread that waits
            raised.append(error)
        finally:
            finished.set()

    with _one_at_a_time, _own_modules(project.folder), _stopping_at_ctrl_c(deployment):
        thread = threading.Thread(target=target, name=f"program-{project.stack}")
        thread.start()
        try:
            finished.wait()
        except KeyboardInterrupt:  # which the caller raises at other signals as well
            deployment.stop()
            while not finished.is_set():  # every AWS call ends within seconds
                with suppress(KeyboardInterrupt):
                    finished.wait()
            raise
    if raised and isinstance(raised[0], pulumi.RunError):
        raise EngineError(str(raised[0])) from raised[0]
    if raised:
        raise raised[0]
    return log


@contextmanager
def _stopping_at_ctrl_c(deployment: Deployment) -> Generator[None]:
    """Have Ctrl-C stop the deployment at once, and do what it otherwise does when the block is done.

    A KeyboardInterrupt could come a second time in the middle of its own handling, and leave the program running.
    """
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    pressed = threading.Event()

    def press(_number: int, _frame: object) -> None:
        pressed.set()
        deployment.stop()

    signal.signal(signal.SIGINT, press)
    try:
        yield
    finally:
        # Another signal may have come meanwhile, and its handler had Ctrl-C ignored: that stays so.
        if signal.getsignal(signal.SIGINT) is press:
            signal.signal(signal.SIGINT, handler)
    if pressed.is_set():
        handler(signal.SIGINT, None)
        raise KeyboardInterrupt


def _run(project: Project, deployment: Deployment, log: EngineLog) -> None:
    configure(
        Settings(
            project=project.name,
            stack=project.stack,
            monitor=EngineMonitor(deployment),
            engine=log,
            dry_run=deployment.preview,
            organization="organization",
            root_directory=str(project.folder),
        )
    )
    set_root_resource(None)  # pyright: ignore[reportArgumentType]  the caller's context may hold one
    pulumi.runtime.set_all_config(project.config)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # tasks that fail are reported by run_in_stack

    async def program() -> None:
        runpy.run_path(str(project.main), run_name="__main__")

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max_workers=PARALLEL, thread_name_prefix="register")
    loop.set_default_executor(executor)
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(program))
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
            with suppress(BaseException):
                loop.run_until_complete(task)
        executor.shutdown()
        asyncio.set_event_loop(None)
        loop.close()


@contextmanager
def _own_modules(folder: Path) -> Generator[None]:
    """Let the program import its own packages first, and those of no other copy of them."""
    names: set[str] = set()
    if folder != CHECKOUT:
        names = {path.stem for path in folder.iterdir() if path.is_dir() or path.suffix == ".py"} - {"rehearsal"}
    aside = _take_modules(names)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        _take_modules(names)
        sys.modules.update(aside)


def _take_modules(names: set[str]) -> dict[str, ModuleType]:
    found = [name for name in sys.modules if name.split(".", maxsplit=1)[0] in names and name != "__main__"]
    return {name: sys.modules.pop(name) for name in found}
