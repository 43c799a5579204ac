"""Input transformers give what EventBridge gives."""

import json

import pytest

from rehearsal.aws.event_templates import transformed

EVENT = {
    "id": "1",
    "detail-type": "Object Created",
    "source": "aws.s3",
    "time": 0.0,
    "ingestion-time": 0.0,
    "detail": {"bucket": {"name": "landing"}, "object": {"key": 'auto-mpg/a "b".csv', "size": 12}},
}
PATHS = {"key": "$.detail.object.key", "size": "$.detail.object.size", "type": "$.detail-type", "none": "$.detail.x"}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('{"prefix": "<key>"}', {"prefix": 'auto-mpg/a "b".csv'}),
        ('{"prefix": <key>}', {"prefix": 'auto-mpg/a "b".csv'}),
        ('{"text": "<size> bytes of <type>"}', {"text": "12 bytes of Object Created"}),
        ('{"size": <size>, "none": <none>, "empty": "<none>"}', {"size": 12, "none": None, "empty": ""}),
        ('"<type>"', "Object Created"),
    ],
)
def test_placeholders_are_filled(template: str, expected: object) -> None:
    target = {"InputTransformer": {"InputPathsMap": PATHS, "InputTemplate": template}}
    assert json.loads(transformed(target, EVENT)) == expected


def test_without_a_transformer_the_event_comes_whole() -> None:
    whole = json.loads(transformed({}, EVENT))
    assert whole["time"] == "1970-01-01T00:00:00Z"
    assert "ingestion-time" not in whole
    assert json.loads(transformed({"Input": '{"a": 1}'}, EVENT)) == {"a": 1}
    assert json.loads(transformed({"InputPath": "$.detail.bucket"}, EVENT)) == {"name": "landing"}


def test_a_template_that_gives_no_json_is_an_error() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        transformed({"InputTransformer": {"InputPathsMap": PATHS, "InputTemplate": '{"a": }'}}, EVENT)
