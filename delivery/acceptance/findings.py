"""What a test of a deployed model found: one line per check."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from delivery.errors import DeliveryError

Part = Literal["smoke", "contract", "data", "behaviour", "load"]
Result = Literal["passed", "failed", "not checked"]


class RefusedModelError(DeliveryError):
    """A deployed model does not do what it should; the message holds one line per check that failed."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    part: Part
    name: str
    result: Result
    said: str

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against the model."""
        return self.result != "failed"


def checked(part: Part, name: str, *, ok: bool, said: str) -> Check:
    """A check that was made."""
    return Check(part=part, name=name, result="passed" if ok else "failed", said=said)


def not_checked(part: Part, name: str, why: str) -> Check:
    """A check for which something is missing, which is no fault of the model."""
    return Check(part=part, name=name, result="not checked", said=why)


def refuse(model: str, checks: Iterable[Check]) -> None:
    """Raise RefusedModelError when a check failed."""
    failed = [check for check in checks if not check.ok]
    if failed:
        raise RefusedModelError("\n".join(f"{model}: {check.part}: {check.name}: {check.said}" for check in failed))
