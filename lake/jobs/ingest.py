"""The Glue job that ingests: landed objects in, rows added to the model's table, what is not right to quarantine."""

import sys
from datetime import UTC, datetime
from typing import Any

from lake.errors import LakeError
from lake.ingest import ingest
from lake.jobs.arguments import Job, run_job


def work(job: Job) -> dict[str, Any]:
    """Ingest `--prefix` (a key, or all below it when it ends in `/`) of `--landing-bucket`."""
    prefix, folder = job.arguments["prefix"], f"{job.spec.name}/"
    if not prefix.startswith(folder):
        raise LakeError(f"--prefix is {prefix!r}; data for the model {job.spec.name} must lie below {folder!r}")
    return ingest(
        s3=job.s3,
        lake=job.lake,
        spec=job.spec,
        bucket=job.arguments["landing_bucket"],
        prefix=prefix,
        now=datetime.now(UTC),
    ).to_dict()


if __name__ == "__main__":
    reason = run_job("ingest", ("prefix", "landing-bucket"), work, sys.argv[1:])
    # Left by its end when all went well: Glue has taken any SystemExit for a failure.
    if reason is not None:
        sys.exit(reason)
