"""What `ignore_changes` names stays as it was; all else is as declared."""

import pytest

from rehearsal.engine.ignored import ignoring, parse_path


def test_a_path_reads_names_indexes_and_quoted_keys() -> None:
    assert parse_path('variants[0].tags["a.b"]') == ("variants", 0, "tags", "a.b")


@pytest.mark.parametrize(
    ("now", "before", "path", "kept"),
    [
        ({"a": 2}, {"a": 1}, "a", {"a": 1}),
        ({"a": 2}, {}, "a", {}),
        ({}, {"a": 1}, "a", {"a": 1}),
        ({"a": {"b": 2, "c": 3}}, {"a": {"b": 1, "c": 1}}, "a.b", {"a": {"b": 1, "c": 3}}),
        ({"v": [{"n": 3, "m": "new"}]}, {"v": [{"n": 1, "m": "old"}]}, "v[0].n", {"v": [{"n": 1, "m": "new"}]}),
        ({"v": [{"n": 3}]}, {"v": []}, "v[0].n", {"v": [{"n": 3}]}),
        ({"v": [{"n": 3}]}, {}, "v[0].n", {"v": [{"n": 3}]}),
    ],
)
def test_only_what_is_named_keeps_its_value(now: object, before: object, path: str, kept: object) -> None:
    assert ignoring(now, before, (path,)) == kept  # type: ignore[arg-type]


def test_what_is_new_is_as_declared() -> None:
    assert ignoring({"a": 2}, None, ("a",)) == {"a": 2}
