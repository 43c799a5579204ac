"""IAM: the managed policies may be read while another request makes one.

moto goes through its dictionary of policies whenever one is attached, and fails when it grows meanwhile.
"""

from typing import Any, cast

from moto.iam.models import IAMBackend

from rehearsal.aws.gaps import replace

_init = cast("Any", IAMBackend._init_managed_policies)  # pyright: ignore[reportPrivateUsage]


class SteadyDict(dict[str, Any]):
    """A dictionary whose values are those of the moment in which they are asked for."""

    def values(self) -> Any:
        """Of a copy, which is made in one step that no other thread comes between."""
        return dict(self).values()


def _steady(self: IAMBackend) -> SteadyDict:
    return SteadyDict(_init(self))


def install() -> None:
    """Put it in."""
    replace(IAMBackend, _init_managed_policies=_steady)
