"""The life of the server: one port, a supervisor, and workers by the container's limits.

The sockets listen before any work is done, so that a taken port is known at once, and who connects early waits.
"""

import functools
import time
from collections.abc import Callable

from serving.container import Container
from serving.observe import shared
from serving.process.channel import Channel, Message
from serving.process.commands import handle
from serving.process.control import ControlError, ControlSocket
from serving.process.cpus import Plan, cpu_limit, memory_limit, plan
from serving.process.listening import ListenError, listen
from serving.process.places import Places
from serving.process.slot import BATCH_STUCK_SECONDS, STUCK_SECONDS, Slot
from serving.process.supervisor import ServeError, Supervisor, say
from serving.process.watched import WatchedFolder, first_place

__all__ = ["ServeError", "serve"]


def serve(container: Container) -> None:
    """Serve until SIGTERM or SIGINT; ServeError when the port is taken or the model is refused."""
    started = time.monotonic()
    planned = plan(cpu_limit(), memory_limit(), container.workers, container.threads)
    # Without a processor for each, polling would take from another worker, or from the next period's quota.
    busy_poll_seconds = container.busy_poll_seconds if planned.unshared else 0.0
    try:
        listeners = listen(container.host, container.port, planned.workers)
    except ListenError as error:
        raise ServeError(str(error)) from error
    memory = shared.allocate(planned.workers)

    def work(slot: Slot, channel: Channel, places: Places) -> int:
        # Imported in the child alone: the supervisor stays small.
        from serving.process import worker  # noqa: PLC0415

        seat = worker.Seat(
            container=container,
            threads=planned.threads,
            busy_poll_seconds=busy_poll_seconds,
            memory=memory,
            slot=slot,
            channel=channel,
        )
        return worker.work(seat, places)

    places, seen = container.places, None
    if container.watch is not None:
        place, seen = first_place(container.watch, places.default)
        places = places.put(place)
    patience = STUCK_SECONDS if container.batch_bytes is None else BATCH_STUCK_SECONDS
    supervisor = Supervisor(memory, listeners, places, work, patience)
    ticks: list[Callable[[], None]] = []
    if container.watch is not None:
        ticks.append(WatchedFolder(container.watch, supervisor.swaps, seen).tick)
    control = _control(container, supervisor)
    if control is not None:
        ticks.append(control.tick)
    try:
        supervisor.run(functools.partial(_announce, container, planned, started), ticks)
    finally:
        if control is not None:
            control.close()


def _control(container: Container, supervisor: Supervisor) -> ControlSocket | None:
    if container.control_socket is None:
        return None
    try:
        return ControlSocket(container.control_socket, supervisor, functools.partial(handle, supervisor))
    except ControlError as error:
        raise ServeError(str(error)) from error


def _announce(container: Container, planned: Plan, started: float, about: Message) -> None:
    workers = "" if planned.workers == 1 else f", {planned.workers} workers"
    say(
        f"{about['model']} ready, loaded in {time.monotonic() - started:.2f} s{workers}, "
        f"on http://{container.host}:{container.port}/ ({about['release'] or 'no release named'})"
    )
