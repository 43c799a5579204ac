"""`DataProcessing`: what of a record goes to the model, how input and output are joined, and what of that is kept.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html: a CSV record is a list of columns,
to which the output's are added; a JSON object gets the output as `SageMakerOutput`; any other JSON value becomes
`{"SageMakerInput": …, "SageMakerOutput": …}`.
"""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from rehearsal.aws.jobs.requests import section
from rehearsal.aws.jobs.transform_paths import Path, PathError
from rehearsal.aws.jobs.transform_records import RecordError

_CSV = "text/csv"
_JSON = ("application/json", "application/jsonlines")


@dataclass(frozen=True, kw_only=True)
class Filters:
    """The filters of one job, with the formats of its two sides."""

    take: Path
    keep: Path
    join: bool
    content_type: str
    accept: str

    @staticmethod
    def of(request: dict[str, Any]) -> "Filters":
        """Read a CreateTransformJob. Raises PathError for a filter or a format that cannot be processed."""
        data = section(request, "DataProcessing")
        content_type = str(section(request, "TransformInput").get("ContentType") or "")
        filters = Filters(
            take=Path(data.get("InputFilter") or "$"),
            keep=Path(data.get("OutputFilter") or "$"),
            join=data.get("JoinSource") == "Input",
            content_type=content_type,
            accept=str(section(request, "TransformOutput").get("Accept") or content_type),
        )
        for used, kind in ((not filters.take.whole, content_type), (filters.changes_output, filters.accept)):
            if used and _kind(kind) not in (_CSV, *_JSON):
                raise PathError(f"DataProcessing takes {_CSV} and {' and '.join(_JSON)}, not {kind or 'no type'!r}")
        lines = section(request, "TransformInput").get("SplitType") == "Line"
        if not lines and _CSV in (_kind(content_type), _kind(filters.accept)) and data:
            raise PathError("DataProcessing of text/csv needs SplitType Line")
        if filters.join and (_kind(content_type) == _CSV) != (_kind(filters.accept) == _CSV):
            raise PathError(f"JoinSource needs one format; ContentType is {content_type!r}, Accept {filters.accept!r}")
        return filters

    @property
    def changes_output(self) -> bool:
        """Whether the model's answer is looked into at all."""
        return self.join or not self.keep.whole

    def taken(self, record: bytes) -> bytes:
        """What of a record goes to the model. Raises RecordError."""
        if self.take.whole:
            return record
        return _written(_selected(self.take, _read(record, self.content_type)), self.content_type)

    def kept(self, sources: Sequence[bytes], answer: bytes, *, lines: bool) -> bytes:
        """The answer to `sources`, joined and filtered, a line each with `lines`. Raises RecordError."""
        if not self.changes_output:
            return answer
        answers = [line for line in answer.splitlines() if line.strip()] if lines else [answer]
        if len(answers) != len(sources):
            raise RecordError(f"{len(answers)} records were answered to {len(sources)}")
        rows = [
            _written(_selected(self.keep, self._joined(source, given)), self.accept)
            for source, given in zip(sources, answers, strict=True)
        ]
        return b"".join(row + b"\n" for row in rows) if lines else rows[0]

    def _joined(self, source: bytes, answer: bytes) -> Any:
        output = _read(answer, self.accept)
        if not self.join:
            return output
        before = _read(source, self.content_type)
        if _kind(self.accept) == _CSV:
            return [*before, *output]
        if isinstance(before, dict):
            return {**cast("dict[str, Any]", before), "SageMakerOutput": output}
        return {"SageMakerInput": before, "SageMakerOutput": output}


def _kind(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _read(record: bytes, content_type: str) -> Any:
    try:
        text = record.decode()
        return next(csv.reader([text])) if _kind(content_type) == _CSV else json.loads(text)
    except (ValueError, csv.Error, StopIteration) as error:
        raise RecordError(f"a record is not {content_type}: {error}") from error


def _selected(path: Path, value: Any) -> Any:
    try:
        return path.of(value)
    except PathError as error:
        raise RecordError(str(error)) from error


def _written(value: Any, content_type: str) -> bytes:
    if _kind(content_type) != _CSV:
        return json.dumps(value).encode()
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="").writerow(cast("list[str]", value) if isinstance(value, list) else [value])
    return line.getvalue().encode()
