"""An environment of several stacks, deployed in the order they need: first the platform, then the models at once."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from delivery.errors import DeliveryError
from delivery.stacks.scopes import EnvironmentStacks

T = TypeVar("T")
AT_ONCE = 4
"""Each is a `pulumi` and a program of its own: some 300 MB and a core while it works."""


class StacksFailedError(DeliveryError):
    """Some stacks of an environment were not deployed; the message has the reason of each."""


def waves_of(stacks: EnvironmentStacks, touched: Iterable[str] | None = None) -> list[list[str]]:
    """What may be deployed at once, in order; with `touched`, only the stacks in it."""
    wanted = None if touched is None else set(touched)
    waves = [[stacks.platform], sorted(stacks.models.values())]
    chosen = [[stack for stack in wave if wanted is None or stack in wanted] for wave in waves]
    return [wave for wave in chosen if wave]


def in_waves(waves: Sequence[Sequence[str]], deploy: Callable[[str], T]) -> list[T]:
    """Deploy every stack; a wave begins when the one before it is done, and is finished whoever in it fails.

    One stack alone raises what it raises. Of several, StacksFailedError names those that failed.
    """
    outcomes: list[T] = []
    for number, wave in enumerate(waves):
        if len(wave) == 1:
            outcomes.append(deploy(wave[0]))
            continue
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            running = {stack: pool.submit(deploy, stack) for stack in wave}
        failed = {stack: error for stack, future in running.items() if (error := future.exception()) is not None}
        if failed:
            reasons = "\n".join(f"{stack}: {error}" for stack, error in failed.items())
            later = ", ".join(stack for each in waves[number + 1 :] for stack in each)
            untouched = f"\nnot begun: {later}" if later else ""
            raise StacksFailedError(f"{len(failed)} of {len(wave)} stacks failed:\n{reasons}{untouched}")
        outcomes += [future.result() for future in running.values()]
    return outcomes
