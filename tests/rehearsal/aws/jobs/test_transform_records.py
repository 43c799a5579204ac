"""Batch Transform's bytes: records, payloads, filters and joins as its documentation has them."""

import gzip
from typing import Any

import pytest

from rehearsal.aws.jobs.transform_filters import Filters
from rehearsal.aws.jobs.transform_paths import Path, PathError
from rehearsal.aws.jobs.transform_records import RecordError, assembled, batches, records, unpacked
from rehearsal.aws.jobs.transform_requests import plan, problem


def request(kind: str = "text/csv", *, split: str = "Line", **data: str) -> dict[str, Any]:
    return {
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in/"}},
            "ContentType": kind,
            "SplitType": split,
        },
        "TransformOutput": {"S3OutputPath": "s3://b/out/", "Accept": kind},
        "DataProcessing": data,
    }


def test_an_object_is_split_and_batched_below_the_limit() -> None:
    lines = records(b"aaaa\r\nbb\n\ncc\n", "Line")
    assert lines == [b"aaaa", b"bb", b"cc"]
    assert list(batches(lines, many=True, limit=8)) == [(b"aaaa", b"bb"), (b"cc",)]
    assert list(batches(lines, many=False, limit=8)) == [(b"aaaa",), (b"bb",), (b"cc",)]
    assert list(batches(lines, many=True, limit=0)) == [(b"aaaa", b"bb", b"cc")]
    assert records(b"a\nb\n", "None") == [b"a\nb\n"]
    with pytest.raises(RecordError, match="Too much data for max payload size: a record has 4 bytes, allowed: 3"):
        list(batches(lines, many=True, limit=3))


def test_gzip_is_unpacked_and_what_is_not_gzip_is_refused() -> None:
    assert unpacked(gzip.compress(b"rows"), "Gzip") == b"rows"
    assert unpacked(b"rows", "None") == b"rows"
    for content in (b"rows", gzip.compress(b"rows")[:-4]):
        with pytest.raises(RecordError, match="not gzip"):
            unpacked(content, "Gzip")


def test_answers_are_assembled_with_one_line_end_each() -> None:
    assert assembled([b"1", b"2\n"], "Line") == b"1\n2\n"
    assert assembled([b"1", b"2\n"], "None") == b"12\n"


@pytest.mark.parametrize(
    ("path", "value", "selected"),
    [
        ("$", [1], [1]),
        ("$[1:]", [0, 1, 2], [1, 2]),
        ("$[0,-1]", ["id", "a", "b"], ["id", "b"]),
        ("$[-1]", ["id", "a"], "a"),
        ("$.a.b", {"a": {"b": 3}}, 3),
        ("$['a','c']", {"a": 1, "b": 2, "c": 3}, {"a": 1, "c": 3}),
        ("$.a.*", {"a": {"x": 1, "y": 2}}, [1, 2]),
        ("$.SageMakerOutput.predictions[0]", {"SageMakerOutput": {"predictions": [9]}}, 9),
    ],
)
def test_a_path_selects(path: str, value: Any, selected: Any) -> None:
    assert Path(path).of(value) == selected


@pytest.mark.parametrize("path", ["a", "$..a", "$[?(@.a)]", "$[1:2:3]", "$.", "$[a]"])
def test_a_path_that_is_not_taken_is_refused(path: str) -> None:
    with pytest.raises(PathError):
        Path(path)


def test_a_path_that_does_not_fit_says_so() -> None:
    with pytest.raises(PathError, match=r"'\$\[3\]' does not fit the record"):
        Path("$[3]").of([1])


def test_csv_columns_are_filtered_joined_and_kept_by_record() -> None:
    filters = Filters.of(request(InputFilter="$[1:]", JoinSource="Input", OutputFilter="$[0,-1]"))
    assert filters.taken(b'7,"a,b",1') == b'"a,b",1'
    assert filters.kept([b'7,"a,b",1', b"8,c,2"], b"3.5\n4.5\n", lines=True) == b"7,3.5\n8,4.5\n"
    with pytest.raises(RecordError, match="1 records were answered to 2"):
        filters.kept([b"7", b"8"], b"3.5\n", lines=True)


def test_json_gets_the_answer_under_its_own_name() -> None:
    filters = Filters.of(request("application/json", split="None", JoinSource="Input"))
    assert filters.kept([b'{"a": 1}'], b'{"p": [2]}', lines=False) == b'{"a": 1, "SageMakerOutput": {"p": [2]}}'
    assert filters.kept([b"[1]"], b"2", lines=False) == b'{"SageMakerInput": [1], "SageMakerOutput": 2}'


def test_filters_that_cannot_work_are_refused() -> None:
    with pytest.raises(PathError, match="not 'application/x-image'"):
        Filters.of(request("application/x-image", InputFilter="$[0]"))
    with pytest.raises(PathError, match="needs SplitType Line"):
        Filters.of(request(split="None", JoinSource="Input"))
    mixed = request(JoinSource="Input")
    mixed["TransformOutput"]["Accept"] = "application/json"
    with pytest.raises(PathError, match="one format"):
        Filters.of(mixed)


def test_what_the_request_leaves_open_the_container_may_say() -> None:
    asked = plan(request())
    said = asked.completed({"MaxConcurrentTransforms": 4, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 2})
    assert (said.many, said.payload_mb, said.concurrent) == (False, 2, 4)
    assert "MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD" in asked.completed({}).line()
    fixed = plan({**request(), "BatchStrategy": "MultiRecord", "MaxPayloadInMB": 1, "MaxConcurrentTransforms": 2})
    assert fixed.completed({"MaxPayloadInMB": 9}).payload_mb == 1
    assert fixed.variables() == {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_BATCH_STRATEGY": "MULTI_RECORD",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": "1",
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "2",
    }


def test_what_is_not_rehearsed_or_too_much_is_refused() -> None:
    assert problem(request()) is None
    assert "RecordIO is not rehearsed" in str(problem(request(split="RecordIO")))
    assert "cannot exceed 100 MB" in str(problem({**request(), "MaxPayloadInMB": 60, "MaxConcurrentTransforms": 2}))
