"""`drivetrain logs`: what a model's jobs and endpoint wrote, newest job last."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import typer

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
from pipelines.jobs import job_prefix
from pipelines.log_groups import STREAMS, glue_log_group

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
    """The log groups of the model's jobs, in the order of the pipeline, with what its streams begin with."""
    names = connection.names
    job = job_prefix(names.job_prefix(spec.name))
    return [
        *_glue_groups(connection, spec, "ingest"),
        *_glue_groups(connection, spec, "validate"),
        ("/aws/sagemaker/TrainingJobs", job),
        ("/aws/sagemaker/ProcessingJobs", job),
        (f"/aws/sagemaker/Endpoints/{names.endpoint(spec.name)}", ""),
    ]


def _glue_groups(connection: Connection, spec: ModelSpec, step: Literal["ingest", "validate"]) -> list[tuple[str, str]]:
    """The groups of a Glue job, which are named after what encrypts and runs it; its streams after the runs."""
    glue = connection.client("glue")
    name = connection.names.glue_job(spec.name, step)
    job = glue.get_job(JobName=name)["Job"]
    role = job["Role"].rpartition("/")[2]
    return [
        (glue_log_group(name, security_configuration=job["SecurityConfiguration"], role=role, stream=stream), "")
        for stream in STREAMS
    ]


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
