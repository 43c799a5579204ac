"""What both Glue scripts share: their arguments, the session, the result file and how a failure is told.

Glue adds arguments of its own (`--JOB_NAME`, `--job-language`, …), which are passed over. A script that fails leaves by
`sys.exit(reason)`, which Glue shows as the run's ErrorMessage: a mistake is one line, only the unexpected a traceback.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from lake.catalog import Lake, LakeLocation
from lake.errors import LakeError
from lake.locations import put, split_uri
from models.spec import ModelSpec, SpecError, find_spec

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a script works with; `arguments` holds its own options by name (`landing_bucket`)."""

    s3: "S3Client"
    lake: Lake
    spec: ModelSpec
    arguments: dict[str, str]


def run_job(
    name: str, options: Sequence[str], work: Callable[[Job], dict[str, Any]], argv: Sequence[str]
) -> str | None:
    """Run `work` with `argv` parsed and write what it returns to `--result`.

    Returns what to leave with (`sys.exit`): None when all went well, else the reason in one line.
    """
    try:
        arguments = _parse(name, options, argv)
        split_uri(arguments["result"])
        session = boto3.Session()
        location = LakeLocation(
            warehouse=arguments["warehouse"],
            curated_database=arguments["curated_database"],
            quarantine_database=arguments["quarantine_database"],
        )
        spec = find_spec(files("models"), arguments["model"])
        s3: S3Client = session.client("s3")  # pyright: ignore[reportUnknownMemberType] overloads for every service
        job = Job(s3=s3, lake=Lake(session, location), spec=spec, arguments=arguments)
        result = work(job)
        put(job.s3, arguments["result"], (json.dumps(result, indent=2) + "\n").encode())
    except (LakeError, SpecError, ClientError, BotoCoreError, OSError) as error:
        return f"{name}: {' '.join(str(error).split())}"
    sys.stdout.write(json.dumps(result) + "\n")
    return None


def _parse(name: str, options: Sequence[str], argv: Sequence[str]) -> dict[str, str]:
    parser = argparse.ArgumentParser(prog=name, allow_abbrev=False, exit_on_error=False, add_help=False)
    shared = ("model", "result", "warehouse", "curated-database", "quarantine-database")
    names = (*shared, *options)
    for option in names:
        parser.add_argument(f"--{option}")
    try:
        known, _ = parser.parse_known_args(argv)
    except argparse.ArgumentError as error:
        raise LakeError(f"{error}; expected --name value for each of {', '.join(names)}") from error
    values: dict[str, str | None] = vars(known)
    missing = [f"--{option}" for option in names if values[option.replace("-", "_")] is None]
    if missing:
        raise LakeError(f"missing {', '.join(missing)}")
    return {option: value for option, value in values.items() if value is not None}
