"""What Batch Transform does to the bytes of an object: unpacked, split into records, batched, and put together again.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html, API_TransformInput.html and
API_TransformOutput.html. Records are lines; RecordIO and TFRecord are refused before a job begins.
"""

import gzip
import zlib
from collections.abc import Iterator, Sequence

MEGABYTE = 2**20


class RecordError(Exception):
    """An object that cannot be transformed; the text says why."""


def unpacked(content: bytes, compression: str) -> bytes:
    """The object's own bytes. Raises RecordError for one that is not what CompressionType says."""
    if compression != "Gzip":
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise RecordError(f"the object is not gzip, as CompressionType says: {error}") from error


def records(content: bytes, split: str) -> list[bytes]:
    """The records of an object, without their line ends: the whole of it, or its lines that are not empty."""
    if split == "None":
        return [content]
    return [line for line in content.splitlines() if line.strip()]


def batches(entries: Sequence[bytes], *, many: bool, limit: int) -> Iterator[tuple[bytes, ...]]:
    """Records by request: one each, or as many as `limit` bytes take, line ends included; `limit` 0 is no limit.

    Raises RecordError for a record that is larger than the limit by itself.
    """
    batch: list[bytes] = []
    size = 0
    for entry in entries:
        if limit and len(entry) > limit:
            raise RecordError(f"Too much data for max payload size: a record has {len(entry)} bytes, allowed: {limit}")
        if batch and (not many or (limit and size + len(entry) + 1 > limit)):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(entry)
        size += len(entry) + 1
    if batch:
        yield tuple(batch)


def assembled(answers: Sequence[bytes], how: str) -> bytes:
    """The object's output: answers one after the other, each ending in a line end with AssembleWith Line."""
    if how != "Line":
        return b"".join(answers)
    return b"".join(answer if answer.endswith(b"\n") or not answer else answer + b"\n" for answer in answers)
