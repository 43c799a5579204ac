"""The life of the server process: listen, load, serve, stop within the 30 s that SageMaker gives after SIGTERM.

The socket listens before the model is loaded, so that `/ping` can say 503 with a reason from the first moment on, and
a taken port is known before any work is done. A model that cannot be loaded ends the process with exit status 1.
"""

import asyncio
import contextlib
import signal
import socket
import sys
import time
from collections.abc import Generator

import uvicorn

from serving.container import Container
from serving.core.service import load_service
from serving.http.asgi import Application
from serving.observe.metrics import Metrics
from serving.process.lifecycle import Lifecycle

GRACEFUL_SECONDS = 25
"""Time for accepted requests to finish; the rest of SageMaker's 30 s is for leaving."""
_BACKLOG = 2048


class ServeError(Exception):
    """The server cannot run; the message is one line for people."""


class _Server(uvicorn.Server):
    """uvicorn, with the signals left to `serve`: a stop on SIGTERM is a success, not a death by signal."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def serve(container: Container) -> None:
    """Serve until SIGTERM or SIGINT; ServeError when the port is taken or the model is refused."""
    started = time.perf_counter()
    listener = _listen(container.host, container.port)
    try:
        asyncio.run(_serve(container, listener, started))
    finally:
        listener.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ServeError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another port with SAGEMAKER_BIND_TO_PORT"
        ) from error
    return listener


async def _serve(container: Container, listener: socket.socket, started: float) -> None:
    lifecycle = Lifecycle()
    config = uvicorn.Config(
        Application(lifecycle, Metrics()),
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )
    server = _Server(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, server, signal.Signals(number).name)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    reason = await _load(lifecycle, container, started)
    if reason:
        # Long enough for a health check that is waiting to read why.
        await asyncio.sleep(0.5)
        server.should_exit = True
    await serving
    if reason:
        raise ServeError(f"the model in {container.model_dir} is refused: {reason}")


def _stop(server: uvicorn.Server, name: str) -> None:
    print(f"serving: {name}: finishing the accepted requests", file=sys.stderr, flush=True)
    server.should_exit = True


async def _load(lifecycle: Lifecycle, container: Container, started: float) -> str:
    """Load the model beside the running event loop; the reason when it cannot be, else an empty text."""
    try:
        service = await asyncio.to_thread(
            load_service, container.model_dir, container.manifest_sha256, container.release
        )
    except Exception as error:
        reason = str(error) or type(error).__name__
        lifecycle.failed(reason)
        return reason
    lifecycle.ready(service)
    spec = service.spec
    print(
        f"serving: {spec.name} ready, loaded in {time.perf_counter() - started:.2f} s, "
        f"on http://{container.host}:{container.port}/ ({service.release or 'no release named'})",
        file=sys.stderr,
        flush=True,
    )
    return ""
