"""Bucket policies: moto takes every statement with a condition for one that denies, and looks at objects only.

Authorization asks them with all the others, for every call (`gaps.authorization`), so that moto's own look is left out.
"""

from typing import Any, Final

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket

from rehearsal.aws.gaps import replace

NOTES: Final = ("The rehearsal speaks HTTP on the loopback and lets it count as TLS: `aws:SecureTransport` is true.",)


def install() -> None:
    """Take over the evaluation of a bucket's policy."""
    replace(FakeBucket, get_permission=get_permission)


def get_permission(self: FakeBucket, action: str, resource: str) -> Any:
    """Nothing of its own."""
    del self, action, resource
    return PermissionResult.NEUTRAL
