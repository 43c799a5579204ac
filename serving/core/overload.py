"""Who is not let in: no room, or no time.

The two refusals are handed to callers and never raised: a raised exception would keep the frames that it came through.
"""

from typing import Final

from serving.core.batching import Lane, Limits
from serving.core.errors import RequestError

LATE: Final = RequestError("deadline_exceeded", "the time that the caller gave was over before its turn", status=504)
FULL: Final = RequestError(
    "overloaded", "more requests wait than can be answered in time; try again", status=503, retry_after=1
)


def refusal(lane: Lane, limits: Limits, deadline: float | None, now: float, reading: float) -> RequestError | None:
    """Why a call is not let in: its time is over or would be before its turn, or there is no room.

    `deadline` is the caller's own, None without one; `reading` is how long this turn of the event loop has read so far.
    """
    wait = reading + lane.wait(now)
    if lane.jobs >= limits.jobs or (lane.jobs and lane.rows >= limits.rows):
        return FULL
    if wait > limits.wait and lane.jobs >= limits.always:
        return FULL
    if deadline is not None and deadline < now + wait:
        return LATE if deadline < now else FULL
    return None
