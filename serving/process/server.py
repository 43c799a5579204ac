"""The life of the server: one port, a supervisor, and workers by the container's limits.

The sockets listen before any work is done, so that a taken port is known at once, and who connects early waits.
"""

import functools
import time

from serving.container import Container
from serving.observe import shared
from serving.process.channel import Channel, Message
from serving.process.cpus import Plan, cpu_limit, memory_limit, plan
from serving.process.listening import ListenError, listen
from serving.process.places import Places
from serving.process.slot import Slot
from serving.process.supervisor import ServeError, Supervisor, say

__all__ = ["ServeError", "serve"]


def serve(container: Container) -> None:
    """Serve until SIGTERM or SIGINT; ServeError when the port is taken or the model is refused."""
    started = time.monotonic()
    planned = plan(cpu_limit(), memory_limit(), container.workers, container.threads)
    try:
        listeners = listen(container.host, container.port, planned.workers)
    except ListenError as error:
        raise ServeError(str(error)) from error
    memory = shared.allocate(planned.workers)

    def work(slot: Slot, channel: Channel, places: Places) -> int:
        # Imported in the child alone: the supervisor stays small.
        from serving.process import worker  # noqa: PLC0415

        seat = worker.Seat(container=container, threads=planned.threads, memory=memory, slot=slot, channel=channel)
        return worker.work(seat, places)

    supervisor = Supervisor(memory, listeners, container.places, work)
    supervisor.run(functools.partial(_announce, container, planned, started), lambda: None)


def _announce(container: Container, planned: Plan, started: float, about: Message) -> None:
    workers = "" if planned.workers == 1 else f", {planned.workers} workers"
    say(
        f"{about['model']} ready, loaded in {time.monotonic() - started:.2f} s{workers}, "
        f"on http://{container.host}:{container.port}/ ({about['release'] or 'no release named'})"
    )
