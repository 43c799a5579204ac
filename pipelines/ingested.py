"""What a pipeline's ingest made of the objects it read, from the result file that the run left in S3."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass(frozen=True, kw_only=True)
class Ingested:
    """What became of one object; `reasons` are why it, or the first of its rows, went to quarantine."""

    rows_added: int
    rows_unchanged: int
    rows_quarantined: int
    reasons: tuple[str, ...]

    @property
    def nothing_good(self) -> bool:
        """Whether no row of the object is in the table."""
        return self.rows_added + self.rows_unchanged == 0


def ingested(s3: "S3Client", bucket: str, model: str, execution: str, uri: str) -> Ingested | None:
    """What the execution's ingest made of the object `uri`; None when it did not get so far, or read others only."""
    try:
        body = s3.get_object(Bucket=bucket, Key=f"runs/{model}/{execution}/ingest.json")["Body"].read()
    except s3.exceptions.NoSuchKey:
        return None
    objects: list[dict[str, Any]] = json.loads(body)["objects"]
    for found in objects:
        if found["object"] == uri:
            return Ingested(
                rows_added=found["rows_added"],
                rows_unchanged=found["rows_unchanged"],
                rows_quarantined=found["rows_quarantined"],
                reasons=(found["refused"],) if found["refused"] else tuple(found["examples"]),
            )
    return None
