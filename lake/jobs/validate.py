"""The Glue job that pins: one version of the table checked as a whole and exported for training."""

import sys
from typing import Any

from lake.dataset import export_dataset
from lake.jobs.arguments import Job, run_job


def work(job: Job) -> dict[str, Any]:
    """Check the version `--snapshot-id` and export it below `--export`."""
    return export_dataset(
        s3=job.s3,
        lake=job.lake,
        spec=job.spec,
        snapshot_id=job.arguments["snapshot_id"],
        export=job.arguments["export"],
    ).to_dict()


if __name__ == "__main__":
    reason = run_job("validate", ("snapshot-id", "export"), work, sys.argv[1:])
    # Left by its end when all went well: Glue has taken any SystemExit for a failure.
    if reason is not None:
        sys.exit(reason)
