from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehearsal.provider.wire import (
    ASSET,
    OUTPUT,
    RESOURCE,
    SECRET,
    SIGNATURE,
    UNKNOWN,
    AssetError,
    comparable,
    from_struct,
    is_unknown,
    to_struct,
    with_asset_hashes,
)

PLAIN = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text(), PLAIN))
def test_plain_values_come_back_as_they_were(properties: dict[str, Any]) -> None:
    assert from_struct(to_struct(properties)) == properties


def test_signed_values_are_unwrapped() -> None:
    wire: dict[str, Any] = {
        "secret": {SIGNATURE: SECRET, "value": {"deep": {SIGNATURE: SECRET, "value": 1}}},
        "output": {SIGNATURE: OUTPUT, "value": "v", "dependencies": []},
        "open": {SIGNATURE: OUTPUT, "dependencies": []},
        "resource": {SIGNATURE: RESOURCE, "urn": "urn:x", "id": "i-1"},
        "number": "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "none": None,
    }
    assert from_struct(to_struct(wire)) == {
        "secret": {"deep": 1},
        "output": "v",
        "open": UNKNOWN,
        "resource": "i-1",
        "number": UNKNOWN,
    }


def test_an_unknown_is_found_however_deep() -> None:
    assert is_unknown({"a": [{"b": UNKNOWN}]})
    assert not is_unknown({"a": [{"b": "known"}], "c": 1})


def test_an_asset_is_known_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "job.py").write_text("1")
    (tmp_path / "copy.py").write_text("1")
    here, there = (
        with_asset_hashes({"source": {SIGNATURE: ASSET, "path": name}}, tmp_path) for name in ("job.py", "copy.py")
    )
    assert here["source"]["path"] == str(tmp_path / "job.py")
    assert here != there
    assert comparable(here) == comparable(there)


@pytest.mark.parametrize("asset", [{"path": "missing.py"}, {"uri": "https://example.org/job.py"}])
def test_an_asset_that_cannot_be_read_is_named(tmp_path: Path, asset: dict[str, str]) -> None:
    with pytest.raises(AssetError, match=r"job|missing"):
        with_asset_hashes({"source": {SIGNATURE: ASSET, **asset}}, tmp_path)
