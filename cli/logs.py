"""`drivetrain logs`: what a model's jobs and endpoint wrote, newest job last."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError

from cli.connection import (
    DEFAULT_REHEARSAL,
    LOCAL_STACK,
    Connection,
    ModelArgument,
    RehearsalOption,
    StackOption,
    connect,
)
from cli.output import console
from models.spec import ModelSpec

LinesOption = Annotated[int, typer.Option("--lines", "-n", min=1, help="Last lines of each stream.")]
StreamsOption = Annotated[int, typer.Option("--streams", min=1, help="Newest streams of each group.")]


def logs(
    model: ModelArgument,
    lines: LinesOption = 20,
    streams: StreamsOption = 1,
    stack: StackOption = LOCAL_STACK,
    name: RehearsalOption = DEFAULT_REHEARSAL,
) -> None:
    """Show the last lines of the model's ingest, validation, training, evaluation and endpoint."""
    connection = connect(stack, name)
    spec = connection.spec(model)
    client = connection.client("logs")
    shown = 0
    for group, prefix in _groups(connection, spec):
        for stream in _newest_streams(client, group, prefix, streams):
            shown += 1
            console.print(f"== {group} {stream}", markup=False)
            answer = client.get_log_events(logGroupName=group, logStreamName=stream, limit=lines, startFromHead=False)
            for event in answer["events"]:
                at = datetime.fromtimestamp(event["timestamp"] / 1000, tz=UTC)
                console.print(f"{at:%H:%M:%S} {event['message']}", markup=False)
    if not shown:
        console.print(f"{spec.name} has written no logs yet", markup=False)


def _groups(connection: Connection, spec: ModelSpec) -> list[tuple[str, str]]:
    """The log groups of the model's jobs, in the order of the pipeline, with what its streams begin with.

    Glue names its streams by the run's id, which the runs of the two jobs tell.
    """
    names = connection.names
    found = [
        (group, run)
        for step in ("ingest", "validate")
        for run in _glue_runs(connection, names.glue_job(spec.name, step))
        for group in ("/aws-glue/jobs/output", "/aws-glue/jobs/error")
    ]
    job = names.job_prefix(spec.name)
    return [
        *found,
        ("/aws/sagemaker/TrainingJobs", job),
        ("/aws/sagemaker/ProcessingJobs", job),
        (f"/aws/sagemaker/Endpoints/{names.endpoint(spec.name)}", ""),
    ]


def _glue_runs(connection: Connection, job: str) -> list[str]:
    try:
        runs = connection.client("glue").get_job_runs(JobName=job)["JobRuns"]
    except ClientError:
        return []
    newest = sorted(runs, key=lambda run: run["StartedOn"], reverse=True)
    return [str(run["Id"]) for run in newest[:1]]


def _newest_streams(client: Any, group: str, prefix: str, count: int) -> list[str]:
    try:
        pages = client.get_paginator("describe_log_streams").paginate(logGroupName=group)
        found = [
            stream for page in pages for stream in page["logStreams"] if stream["logStreamName"].startswith(prefix)
        ]
    except client.exceptions.ResourceNotFoundException:
        return []
    found.sort(key=lambda stream: stream.get("lastEventTimestamp", stream.get("creationTime", 0)))
    return [str(stream["logStreamName"]) for stream in found[-count:]]
