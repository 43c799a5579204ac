"""Deletions in a bucket whose versioning is suspended: moto takes it for one without versions.

moto drops every version of the key, whichever is named, and fails on a delete marker. On AWS a suspended bucket keeps
its versions until each is deleted, which is how one is emptied after its versioning was taken away.
"""

from typing import Any

from moto.s3.models import FakeDeleteMarker, FakeKey, S3Backend

from rehearsal.aws.gaps import replace

NOTES = ("a delete marker in a bucket of suspended versioning has a version id of its own, on AWS it is `null`.",)

_delete_object = S3Backend.delete_object


def _keeping_versions(
    self: S3Backend, bucket_name: str, key_name: str, version_id: str | None = None, **options: Any
) -> tuple[bool, dict[str, Any]]:
    bucket = self.get_bucket(bucket_name)
    keys: Any = bucket.keys
    if bucket.versioning_status != "Suspended" or key_name not in keys:
        return _delete_object(self, bucket_name, key_name, version_id, **options)
    if version_id is None:
        marker: Any = FakeDeleteMarker(key=keys[key_name])
        keys[key_name] = marker
        return True, {"version-id": marker.version_id, "delete-marker": "true"}
    versions: list[Any] = keys.getlist(key_name)
    kept = [version for version in versions if str(version.version_id) != str(version_id)]
    keys.setlist(key_name, kept)
    if not kept:
        keys.pop(key_name)
    for version in versions:
        if version not in kept and isinstance(version, FakeKey):
            version.dispose()
    return True, {"version-id": version_id}


def install() -> None:
    """Delete from a suspended bucket what is named, and nothing else."""
    replace(S3Backend, delete_object=_keeping_versions)
