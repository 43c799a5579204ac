"""Arrow streams as pyarrow writes them, and what is left of them after somebody damaged them."""

import io
import struct
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import ipc

from models.rows import feature_matrix
from models.spec import ModelSpec
from serving.core.codec.decoding import decoders
from serving.core.codec.json_compiled import Decoder
from serving.core.codec.media import ARROW
from serving.core.errors import RequestError
from tests.serving.core.codec.conftest import GOOD

Rows = list[dict[str, Any]]
SECOND = {**GOOD, "real": -2.25, "class": 'é"', "maybe": 12.5, "maybe_count": None, "maybe_kind": None}
TYPES: dict[str, Any] = {
    "real": pa.float64(),
    "above": pa.float64(),
    "bounded": pa.float64(),
    "whole": pa.int64(),
    "count": pa.int64(),
    "class": pa.string(),
    "maybe": pa.float64(),
    "maybe_count": pa.int64(),
    "maybe_kind": pa.string(),
}


@pytest.fixture(scope="module")
def decode(every_type: ModelSpec) -> Decoder:
    return decoders(every_type)[ARROW]


def table(rows: Rows, **types: Any) -> Any:
    return pa.Table.from_pylist(rows, schema=pa.schema(list((TYPES | types).items())))


def stream(source: Any, *, file: bool = False, rows: int | None = None, **options: Any) -> bytes:
    out = io.BytesIO()
    new = ipc.new_file if file else ipc.new_stream
    with new(out, source.schema, options=ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(source, max_chunksize=rows)
    return out.getvalue()


def expected(spec: ModelSpec, rows: Rows) -> np.ndarray:
    return feature_matrix(spec, {name: [row[name] for row in rows] for name in spec.features})


def refusal(decode: Decoder, body: bytes) -> RequestError:
    with pytest.raises(RequestError) as caught:
        decode(body)
    return caught.value


@pytest.mark.parametrize("file", [False, True])
@pytest.mark.parametrize("chunk", [1, 2, 5])
def test_a_stream_and_a_file_are_the_same_rows(every_type: ModelSpec, decode: Decoder, file: bool, chunk: int) -> None:
    rows = [GOOD, SECOND, SECOND, GOOD, SECOND]
    count, values = decode(stream(table(rows), file=file, rows=chunk))
    assert count == 5
    np.testing.assert_array_equal(np.asarray(values), expected(every_type, rows))
    assert np.asarray(values).dtype == np.float32


def test_columns_come_in_any_order(every_type: ModelSpec, decode: Decoder) -> None:
    _, values = decode(stream(table([GOOD, SECOND]).select(sorted(TYPES))))
    np.testing.assert_array_equal(np.asarray(values), expected(every_type, [GOOD, SECOND]))


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16"])
def test_numbers_come_in_any_type(every_type: ModelSpec, decode: Decoder, kind: str) -> None:
    row = {**GOOD, "count": 3}
    source = table([row])
    source = source.set_column(4, "count", pa.array(np.array([3]).astype(kind)))
    np.testing.assert_array_equal(np.asarray(decode(stream(source))[1]), expected(every_type, [row]))


def test_a_float32_at_a_limit_is_inside(every_type: ModelSpec, decode: Decoder) -> None:
    narrow = {name: pa.float32() for name in ("real", "above", "bounded", "maybe")}
    np.testing.assert_array_equal(np.asarray(decode(stream(table([GOOD], **narrow)))[1]), expected(every_type, [GOOD]))
    wide = table([GOOD], **narrow).cast(pa.schema(list(TYPES.items())))
    assert refusal(decode, stream(wide)).field == "bounded"


@pytest.mark.parametrize("kind", [pa.float32(), pa.float64()])
def test_a_wrong_value_is_told_with_the_digits_that_it_was_sent_with(decode: Decoder, kind: Any) -> None:
    error = refusal(decode, stream(table([GOOD, {**GOOD, "bounded": 0.1000001}], bounded=kind)))
    assert error.message == "row 1, field 'bounded': expected a number from -1 to 0.1, got 0.1000001"


@pytest.mark.parametrize("places", [pa.int8(), pa.uint16(), pa.int32(), pa.int64()])
@pytest.mark.parametrize("words", [pa.string(), pa.large_string()])
def test_categories_come_as_text_or_by_dictionary(
    every_type: ModelSpec, decode: Decoder, places: Any, words: Any
) -> None:
    rows = [GOOD, SECOND, {**SECOND, "class": "1", "maybe_kind": "x"}]
    kinds = {"class": words, "maybe_kind": words}
    by_word = table(rows, **kinds)
    by_place = table(rows, **{name: pa.dictionary(places, kind) for name, kind in kinds.items()})
    for source in (by_word, by_place):
        np.testing.assert_array_equal(np.asarray(decode(stream(source))[1]), expected(every_type, rows))


def test_dictionaries_may_grow_from_batch_to_batch(every_type: ModelSpec, decode: Decoder) -> None:
    kind = pa.dictionary(pa.int32(), pa.string())
    one, two = (table([row], **{"class": kind}) for row in (GOOD, SECOND))
    first = two["class"].combine_chunks()
    grown = pa.DictionaryArray.from_arrays(pa.array([1], pa.int32()), pa.array(["b c", *first.dictionary.to_pylist()]))
    two = two.set_column(5, "class", grown)
    for deltas in (True, False):
        body = stream(pa.concat_tables([one, two]), emit_dictionary_deltas=deltas)
        np.testing.assert_array_equal(np.asarray(decode(body)[1]), expected(every_type, [GOOD, SECOND]))


def test_a_word_of_a_dictionary_may_be_null(every_type: ModelSpec, decode: Decoder) -> None:
    words = pa.DictionaryArray.from_arrays(pa.array([1, 0], pa.int8()), pa.array(["y", None]))
    body = stream(table([GOOD, SECOND]).set_column(8, "maybe_kind", words))
    values = np.asarray(decode(body)[1])
    assert np.isnan(values[0, 8])
    assert values[1, 8] == 1


def test_a_slice_holds_only_its_rows(every_type: ModelSpec, decode: Decoder) -> None:
    rows = [GOOD, SECOND, {**GOOD, "count": 1}, SECOND, GOOD, GOOD]
    np.testing.assert_array_equal(
        np.asarray(decode(stream(table(rows).slice(1, 3)))[1]), expected(every_type, rows[1:4])
    )


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"count": 1001}, "out_of_range", "count"),
        ({"above": 0.05}, "out_of_range", "above"),
        ({"real": float("nan")}, "not_finite", "real"),
        ({"maybe": float("nan")}, "not_finite", "maybe"),
        ({"maybe": float("-inf")}, "not_finite", "maybe"),
        ({"real": None}, "null_value", "real"),
        ({"class": None}, "null_value", "class"),
        ({"class": "B C"}, "unknown_category", "class"),
        ({"class": "much longer than every category"}, "unknown_category", "class"),
        ({"maybe_kind": "z"}, "unknown_category", "maybe_kind"),
    ],
)
@pytest.mark.parametrize("chunk", [2, 5])
def test_the_first_wrong_value_is_named_in_the_words_of_json(
    decode: Decoder, every_type: ModelSpec, change: dict[str, Any], code: str, field: str, chunk: int
) -> None:
    rows = [GOOD, SECOND, SECOND, {**SECOND, **change}, {**GOOD, **change}]
    error = refusal(decode, stream(table(rows), rows=chunk))
    assert (error.code, error.row, error.field) == (code, 3, field)
    assert every_type.column(field).expectation in error.message
    if code == "unknown_category":
        assert repr(change[field]) in error.message


def test_a_fraction_in_a_whole_column_is_refused(decode: Decoder) -> None:
    error = refusal(decode, stream(table([GOOD, {**GOOD, "whole": 7.5}], whole=pa.float32())))
    assert (error.code, error.row, error.field) == ("wrong_type", 1, "whole")


@pytest.mark.parametrize(
    ("name", "column", "says"),
    [
        ("count", pa.array(["7"]), "holds utf8; expected integers or floats: a whole number from 0 to 1000"),
        ("count", pa.array([True]), "holds bool"),
        ("real", pa.array([None]), "holds null"),
        ("real", pa.array([[1.5]]), "holds list"),
        ("real", pa.array([1.5]).dictionary_encode(), "holds float"),
        ("class", pa.array([1]), "holds int; expected text, or text by dictionary: one of a, b c"),
        ("class", pa.array([1]).dictionary_encode(), "holds int"),
        ("class", pa.array([b"a"]), "holds binary"),
        ("class", pa.array(["a"], pa.string_view()), "holds utf8_view"),
    ],
)
def test_a_column_of_another_type_is_refused(decode: Decoder, name: str, column: Any, says: str) -> None:
    source = table([GOOD])
    error = refusal(decode, stream(source.set_column(source.column_names.index(name), name, column)))
    assert (error.code, error.field) == ("wrong_type", name)
    assert says in error.message


def test_columns_are_those_of_the_model(decode: Decoder) -> None:
    source = table([GOOD])
    assert refusal(decode, stream(source.drop_columns(["maybe"]))).field == "maybe"
    error = refusal(decode, stream(source.append_column("more", pa.array([1]))))
    assert (error.code, error.field) == ("extra_field", "more")
    assert refusal(decode, stream(source.append_column("real", pa.array([1.0])))).code == "extra_field"


def test_no_rows_and_too_many(decode: Decoder) -> None:
    for body in (b"", stream(table([])), stream(table([GOOD]).slice(0, 0))):
        assert refusal(decode, body).code == "no_rows"
    error = refusal(decode, stream(table([GOOD] * 6)))
    assert (error.code, error.status) == ("too_many_rows", 413)


def test_compressed_batches_are_refused(decode: Decoder) -> None:
    assert "compressed" in refusal(decode, stream(table([GOOD] * 5), compression="zstd")).message


def test_what_is_no_stream_is_refused(decode: Decoder) -> None:
    good, file = stream(table([GOOD])), stream(table([GOOD]), file=True)
    bodies = [b"x", b"\xff" * 8, b"{}", good[8:], good[: len(good) // 2], file[:-1], file[:40], good[:4] + good[5:]]
    assert [refusal(decode, body).code for body in bodies] == ["malformed_arrow"] * len(bodies)


STREAMS = [
    stream(table([GOOD, SECOND])),
    stream(table([GOOD, SECOND], **{"class": pa.dictionary(pa.int8(), pa.string())})),
    stream(table([SECOND, GOOD]), file=True),
]
WORDS = [0, 1, 4, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF8, 0xFFFFFFFF]


@settings(deadline=None)
@given(
    body=st.sampled_from(STREAMS),
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from(WORDS), st.sampled_from(["<I", "<Q", "<H", "B"])),
        max_size=6,
    ),
    cut=st.integers(0, 64),
)
def test_damaged_bytes_are_refused_or_right(
    decode: Decoder, body: bytes, changes: list[tuple[float, int, str]], cut: int
) -> None:
    damaged = bytearray(body)
    for place, word, kind in changes:
        size = struct.calcsize(kind)
        at = int(place * (len(damaged) - size)) // size * size
        struct.pack_into(kind, damaged, at, word & (256**size - 1))
    if cut > 32:
        del damaged[-cut:]
    decoded: Any = None
    try:
        decoded = decode(bytes(damaged))
    except RequestError as error:
        decoded = error.status
    assert decoded in (400, 413) if isinstance(decoded, int) else len(decoded[1]) == decoded[0]
