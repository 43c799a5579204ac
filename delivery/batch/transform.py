"""One Batch Transform job: rows written as CSV, the model asked through `/invocations`, its answers read back.

Each row carries its number, which the job's InputFilter keeps from the model and its OutputFilter puts beside the
prediction: what comes back is matched by number, never by hope. An object holds no more rows than the container takes
in one request, so that MultiRecord sends each in one.
"""

import csv
import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from delivery.batch.rows import Value
from delivery.errors import DeliveryError

_POLL_S = 2.0
_LARGEST_PART = 1_000_000
"""Bytes, so that MaxPayloadInMB 1 (2^20) holds a part."""
_CONCURRENT = 2
_CSV = "text/csv"
Say = Callable[[str], None]


class BatchError(DeliveryError):
    """A batch cannot be predicted; the message names job, reason and what would be right."""


@dataclass(frozen=True, kw_only=True)
class Served:
    """What an endpoint serves: SageMaker's model, and the release that it says it is."""

    model: str
    release: str


@dataclass(frozen=True, kw_only=True)
class TransformArgs:
    """One job: the model, where its parts go (`s3://bucket/prefix/`), and the machine that runs it."""

    name: str
    model: str
    input: str
    output: str
    instance_type: str
    key: str | None
    """ARN of the key of the output, None for the bucket's own."""
    volume_key: bool
    """Whether the instance has a volume that takes a key."""
    tags: Mapping[str, str]


def served_model(sagemaker: Any, endpoint: str) -> Served:
    """The model behind `endpoint`; BatchError when there is none."""
    try:
        configuration = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
        variants = sagemaker.describe_endpoint_config(EndpointConfigName=configuration)["ProductionVariants"]
        model = str(variants[0]["ModelName"])
        container = sagemaker.describe_model(ModelName=model)["PrimaryContainer"]
    except (ClientError, KeyError) as error:
        raise BatchError(
            f"endpoint {endpoint} serves no model ({error}); a model gets its endpoint with its first release: "
            "drivetrain releases list"
        ) from error
    return Served(model=model, release=str(container.get("Environment", {}).get("RELEASE", "")))


def parts(rows: Sequence[Sequence[Value]], *, most_rows: int, most_bytes: int) -> Iterator[bytes]:
    """The rows as CSV, each behind its number from 0: no part has more rows or bytes than the container takes."""
    most_bytes = min(most_bytes, _LARGEST_PART)
    lines: list[str] = []
    size = 0
    for number, row in enumerate(rows):
        line = _line([number, *row])
        if lines and (len(lines) == most_rows or size + len(line.encode()) > most_bytes):
            yield "".join(lines).encode()
            lines, size = [], 0
        lines.append(line)
        size += len(line.encode())
    if lines:
        yield "".join(lines).encode()


def start(sagemaker: Any, args: TransformArgs) -> None:
    """Start the job; BatchError when SageMaker refuses it."""
    output: dict[str, Any] = {"S3OutputPath": args.output, "Accept": _CSV, "AssembleWith": "Line"}
    resources: dict[str, Any] = {"InstanceType": args.instance_type, "InstanceCount": 1}
    if args.key is not None:
        output["KmsKeyId"] = args.key
        if args.volume_key:
            resources["VolumeKmsKeyId"] = args.key
    try:
        sagemaker.create_transform_job(
            TransformJobName=args.name,
            ModelName=args.model,
            MaxConcurrentTransforms=_CONCURRENT,
            MaxPayloadInMB=1,
            BatchStrategy="MultiRecord",
            TransformInput={
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": args.input}},
                "ContentType": _CSV,
                "SplitType": "Line",
            },
            TransformOutput=output,
            TransformResources=resources,
            DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
            Tags=[{"Key": name, "Value": value} for name, value in args.tags.items()],
        )
    except ClientError as error:
        raise BatchError(f"the transform job {args.name} was refused: {error}") from error


def wait(sagemaker: Any, name: str, progress: Callable[[], str], say: Say) -> None:
    """Wait for the end, saying what changed; BatchError with the reason unless it completed.

    An interrupt stops the job.
    """
    said = ""
    try:
        while True:
            job = sagemaker.describe_transform_job(TransformJobName=name)
            status = job["TransformJobStatus"]
            if status not in ("InProgress", "Stopping"):
                break
            if (line := f"{'starting' if 'TransformStartTime' not in job else progress()}") != said:
                say(line)
                said = line
            time.sleep(_POLL_S)
    except KeyboardInterrupt:
        sagemaker.stop_transform_job(TransformJobName=name)
        raise
    if status != "Completed":
        reason = job.get("FailureReason", "it was stopped")
        raise BatchError(
            f"the transform job {name} is {status}: {reason}; its log: /aws/sagemaker/TransformJobs, {name}/"
        )


def predictions(outputs: Sequence[bytes], count: int, name: str) -> list[float]:
    """The prediction of each of `count` rows, by number; BatchError when one is missing, double or no number."""
    found: dict[int, float] = {}
    for output in outputs:
        for record in csv.reader(io.StringIO(output.decode())):
            if not record:
                continue
            try:
                number, value = int(record[0]), float(record[1])
            except (ValueError, IndexError) as error:
                raise BatchError(
                    f"the transform job {name} answered {','.join(record)!r}; expected row,number"
                ) from error
            if number in found or not 0 <= number < count:
                raise BatchError(f"the transform job {name} answered row {number} twice, or one that was not asked")
            found[number] = value
    if len(found) != count:
        missing = next(number for number in range(count) if number not in found)
        raise BatchError(
            f"the transform job {name} answered {len(found)} of {count} rows; the first without is {missing}"
        )
    return [found[number] for number in range(count)]


def _line(row: Sequence[object]) -> str:
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\n").writerow(["" if value is None else value for value in row])
    return line.getvalue()
