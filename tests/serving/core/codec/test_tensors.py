import io
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from models.rows import feature_matrix
from models.spec import ModelSpec
from serving.core.codec.decoding import decoders
from serving.core.codec.media import NPY, TENSOR
from serving.core.errors import RequestError
from tests.serving.core.codec.conftest import GOOD

WIDTH = len(GOOD)


def row(spec: ModelSpec) -> np.ndarray:
    return feature_matrix(spec, {name: [value] for name, value in GOOD.items()})


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def decode(spec: ModelSpec, body: bytes, media_type: str = NPY) -> np.ndarray:
    rows, values = decoders(spec)[media_type](body)
    assert len(values) == rows
    return np.asarray(values)


def refusal(spec: ModelSpec, body: bytes, media_type: str = NPY) -> RequestError:
    with pytest.raises(RequestError) as caught:
        decode(spec, body, media_type)
    assert caught.value.status in {400, 413}
    return caught.value


def decoded_or_refused(spec: ModelSpec, body: bytes) -> np.ndarray | None:
    """None for a refusal with a reason; whatever else is raised fails the test."""
    try:
        return decode(spec, body)
    except RequestError as error:
        return None if error.status in {400, 413} else pytest.fail(f"status {error.status}")


@pytest.mark.parametrize("kind", ["<f4", ">f4", "<f8", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_of_any_layout_is_the_same_rows(every_type: ModelSpec, kind: str, order: Any) -> None:
    rows = np.concatenate([row(every_type)] * 3)
    rows[:, 1:3] = [[0.5, -0.5], [0.25, 0], [1, -1]]  # what no precision changes
    read = decode(every_type, npy(np.asarray(rows, dtype=kind, order=order)))
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, rows)


def test_whole_numbers_and_a_single_row_are_taken(every_type: ModelSpec) -> None:
    whole = np.array([1, 1, 0, 7, 5, 1, 3, -5, 0], dtype=np.int16)
    assert decode(every_type, npy(whole)).tolist() == [whole.tolist()]


def test_raw_float32_is_the_same_rows(every_type: ModelSpec) -> None:
    rows = np.concatenate([row(every_type)] * 2)
    np.testing.assert_array_equal(decode(every_type, rows.astype("<f4").tobytes(), TENSOR), rows)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("real", np.nan, "not_finite"),
        ("real", np.inf, "not_finite"),
        ("maybe", -np.inf, "not_finite"),
        ("above", 0.09, "out_of_range"),
        ("bounded", np.nextafter(np.float32(0.1), np.float32(1)), "out_of_range"),
        ("whole", 7.5, "wrong_type"),
        ("count", 1001, "out_of_range"),
        ("class", 6, "unknown_category"),
        ("class", 0.5, "unknown_category"),
        ("class", -1, "unknown_category"),
        ("class", np.nan, "unknown_category"),
        ("maybe_kind", 2, "unknown_category"),
        ("maybe_count", -6, "out_of_range"),
    ],
)
@pytest.mark.parametrize("media_type", [NPY, TENSOR])
def test_the_first_wrong_value_is_named(
    every_type: ModelSpec, name: str, value: float, code: str, media_type: str
) -> None:
    rows = np.concatenate([row(every_type)] * 3)
    rows[1:, every_type.features.index(name)] = value
    error = refusal(every_type, npy(rows) if media_type == NPY else rows.tobytes(), media_type)
    assert (error.code, error.row, error.field) == (code, 1, name)
    assert every_type.column(name).expectation in error.message


def test_a_limit_is_inside_its_range_in_either_precision(every_type: ModelSpec) -> None:
    limits = row(every_type)
    limits[0, 1:3] = np.float32(0.1)
    assert decode(every_type, limits.tobytes(), TENSOR).shape == (1, WIDTH)
    wide = limits.astype(np.float64)
    assert refusal(every_type, npy(wide)).field == "bounded"
    wide[0, 1:3] = 0.1
    assert decode(every_type, npy(wide)).shape == (1, WIDTH)


def test_a_signalling_nan_is_a_nan(every_type: ModelSpec) -> None:
    body = bytearray(row(every_type).tobytes())
    body[:4] = struct.pack("<I", 0x7F800001)
    assert refusal(every_type, bytes(body), TENSOR).code == "not_finite"


@pytest.mark.parametrize(
    ("array", "code"),
    [
        (np.array([None]), "wrong_type"),
        (np.array(["a"]), "wrong_type"),
        (np.array([True] * WIDTH), "wrong_type"),
        (np.zeros((1, WIDTH), dtype="c8"), "wrong_type"),
        (np.zeros(1, dtype=[("a", "f4")]), "wrong_type"),
        (np.zeros((2, WIDTH - 1)), "wrong_shape"),
        (np.zeros((1, 1, WIDTH)), "wrong_shape"),
        (np.zeros((1, 1, 1, 1, WIDTH)), "wrong_shape"),
        (np.zeros(()), "wrong_shape"),
        (np.zeros((0, WIDTH)), "no_rows"),
        (np.zeros((6, WIDTH)), "too_many_rows"),
    ],
)
def test_what_is_no_matrix_of_rows_is_refused(every_type: ModelSpec, array: Any, code: str) -> None:
    assert refusal(every_type, npy(array)).code == code


def test_objects_are_refused_by_their_header_and_never_unpickled(every_type: ModelSpec) -> None:
    body = npy(np.array([[RuntimeError("unpickled")] * WIDTH], dtype=object))
    assert refusal(every_type, body).code == "wrong_type"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x93NUMPY",
        npy(np.zeros((1, WIDTH)))[:-1],
        npy(np.zeros((1, WIDTH))) + b"\0",
        npy(np.zeros((1, WIDTH)))[:100],
        npy(np.zeros((1, WIDTH))).replace(b"(1, 9)", b"(9, 9)"),
        npy(np.zeros((1, WIDTH))).replace(b"(1, 9)", b"(-1,9)"),
        npy(np.zeros((1, WIDTH))).replace(b"(1, 9)", b"(1 1 )"),
        npy(np.zeros((1, WIDTH))).replace(b"False", b"Maybe"),
        b"\x93NUMPY\x02\x00\xff\xff\xff\xff",
    ],
)
def test_a_damaged_file_is_refused(every_type: ModelSpec, body: bytes) -> None:
    assert refusal(every_type, body).code == "malformed_tensor"


def test_raw_bytes_of_half_a_row_are_refused(every_type: ModelSpec) -> None:
    error = refusal(every_type, b"\0" * 37, TENSOR)
    assert error.code == "malformed_tensor"
    assert "36 a row: 9 float32" in error.message
    assert refusal(every_type, b"", TENSOR).code == "no_rows"


@settings(deadline=None)
@given(array=arrays.arrays(arrays.scalar_dtypes(), arrays.array_shapes(max_dims=3, max_side=WIDTH)))
def test_any_array_is_refused_or_right(every_type: ModelSpec, array: Any) -> None:
    read = decoded_or_refused(every_type, npy(array))
    if read is not None:
        assert read.dtype == np.float32
        assert np.isfinite(read[:, :6]).all()


@settings(deadline=None)
@given(body=st.binary(max_size=80), cut=st.integers(0, 128))
def test_no_bytes_bring_it_down(every_type: ModelSpec, body: bytes, cut: int) -> None:
    good = npy(np.zeros((1, WIDTH)))
    for attempt in (body, good[:cut] + body + good[cut + len(body) :]):
        read = decoded_or_refused(every_type, attempt)
        assert read is None or read.shape[1] == WIDTH
