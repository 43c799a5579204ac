"""A thread for models that are too slow for the event loop's own."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final


class Aside:
    """Runs functions one after the other in a thread, and hands their results back to the event loop's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop: Final = loop
        self._threads: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")

    def __call__(self, work: Callable[[], object], done: Callable[[object], None]) -> None:
        """Run `work`, which never raises, then `done` with its result."""

        def ended(future: Future[object]) -> None:
            self._loop.call_soon_threadsafe(done, future.result())

        self._threads.submit(work).add_done_callback(ended)
