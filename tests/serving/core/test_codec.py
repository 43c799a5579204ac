import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.spec import ModelSpec
from serving.core import codec
from serving.core.errors import RequestError
from serving.core.service import Service

ROW = [4, 97.0, 88.0, 2130, 14.5, 1971, "Japan"]
NUMBERS = [4, 97, 88, 2130, 14.5, 1971, 2]
LINE = "4,97.0,88,2130,14.5,1971,Japan"
NAMES = "cylinders,displacement,horsepower,weight,acceleration,model_year,origin"


def decode(spec: ModelSpec, body: bytes, content_type: str = codec.JSON) -> list[list[float]]:
    rows, values = codec.decoders(spec)[codec.media_type(content_type)](body)
    matrix = np.array(values, dtype=np.float32).reshape(rows, len(spec.features))
    return matrix.tolist()


def refusal(spec: ModelSpec, body: bytes, content_type: str = codec.JSON) -> RequestError:
    with pytest.raises(RequestError) as caught:
        decode(spec, body, content_type)
    return caught.value


@pytest.mark.parametrize(
    ("document", "count"),
    [
        (dict(zip(NAMES.split(","), ROW, strict=True)), 1),
        ([dict(zip(NAMES.split(","), ROW, strict=True))] * 2, 2),
        ({"rows": [dict(zip(NAMES.split(","), ROW, strict=True))]}, 1),
        ({"rows": [ROW, ROW]}, 2),
        ([ROW, ROW, ROW], 3),
        ({"instances": [ROW]}, 1),
        ({"instances": [dict(zip(NAMES.split(","), ROW, strict=True))]}, 1),
        (ROW, 1),
    ],
)
def test_every_form_of_json_is_the_same_rows(spec: ModelSpec, document: object, count: int) -> None:
    assert decode(spec, json.dumps(document).encode()) == [NUMBERS] * count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (LINE, 1),
        (f"{LINE}\n{LINE}\n", 2),
        (f"{LINE}\r\n{LINE}\r\n", 2),
        (f"{NAMES}\n{LINE}\n", 1),
        (f"\ufeff{NAMES}\r\n{LINE}", 1),
        (f"{LINE}\n\n\n", 1),
        ("origin,cylinders,displacement,horsepower,weight,acceleration,model_year\nJapan,4,97,88,2130,14.5,1971", 1),
        (' 4 , 97 ,88,2130,14.5,1971,"Japan"', 1),
    ],
)
def test_every_form_of_csv_is_the_same_rows(spec: ModelSpec, text: str, count: int) -> None:
    assert decode(spec, text.encode(), "text/csv; charset=utf-8") == [NUMBERS] * count


def test_an_empty_cell_is_null(spec: ModelSpec) -> None:
    assert math.isnan(decode(spec, LINE.replace(",88,", ",,").encode(), codec.CSV)[0][2])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "no_rows"),
        (b"  ", "no_rows"),
        (b"[]", "no_rows"),
        (b'{"rows": []}', "no_rows"),
        (b'{"rows": 3}', "wrong_type"),
        (b'{"rows": {}}', "wrong_type"),
        (b'{"rows": [], "more": 1}', "extra_field"),
        (b"{}", "missing_field"),
        (b"3", "wrong_type"),
        (b"null", "wrong_type"),
        (b'"text"', "wrong_type"),
        (b"{", "malformed_json"),
        (b'{"cylinders": 4,}', "malformed_json"),
        (b"{'cylinders': 4}", "malformed_json"),
        (b"[1e999]", "malformed_json"),
        (b"[NaN", "malformed_json"),
        (b'{"\\ud800": NaN}', "malformed_json"),
        (b'[NaN, {"weight": "\\uDFFF"}]', "malformed_json"),
        (b'{"\xed\xa0\x80": NaN}', "malformed_json"),
        (b"\xff\xfe{}", "malformed_json"),
        (b"[" * 5000 + b"]" * 5000, "malformed_json"),
        (b"[" * 200_000 + b"NaN" + b"]" * 200_000, "malformed_json"),
    ],
)
def test_json_that_holds_no_rows_is_refused(spec: ModelSpec, body: bytes, code: str) -> None:
    error = refusal(spec, body)
    assert (error.code, error.status) == (code, 400)


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_json_has_no_word_for_is_named_all_the_same(spec: ModelSpec, word: str) -> None:
    error = refusal(spec, json.dumps([ROW, ROW]).replace("88.0", word).encode())
    assert (error.code, error.row, error.field) == ("not_finite", 0, "horsepower")


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        ("", "no_rows", None),
        (NAMES, "no_rows", None),
        ("4,97", "missing_field", "horsepower"),
        (f"{LINE},9", "extra_field", None),
        (f"{NAMES},mpg\n{LINE},9", "extra_field", "mpg"),
        (f"{NAMES.removesuffix(',origin')}\n{LINE}", "missing_field", "origin"),
        (f"{NAMES},origin\n{LINE},Japan", "extra_field", "origin"),
        (LINE.replace("88", "abc"), "wrong_type", "horsepower"),
        (LINE.replace("88", "1_0"), "wrong_type", "horsepower"),
        (LINE.replace("88", "nan"), "not_finite", "horsepower"),
        (LINE.replace("88", "-inf"), "not_finite", "horsepower"),
        (LINE.replace("88", "1e999"), "not_finite", "horsepower"),
        (LINE.replace("2130", ""), "null_value", "weight"),
        (LINE.replace("Japan", "4"), "unknown_category", "origin"),
        ('4,"97', "malformed_csv", None),
        (f"{LINE}\n4,97\n", "missing_field", "horsepower"),
    ],
)
def test_csv_that_does_not_fit_is_refused(spec: ModelSpec, text: str, code: str, field: str | None) -> None:
    error = refusal(spec, text.encode(), codec.CSV)
    assert (error.code, error.field, error.status) == (code, field, 400)


def test_csv_in_another_encoding_is_refused(spec: ModelSpec) -> None:
    assert refusal(spec, LINE.encode("utf-16"), codec.CSV).code == "malformed_csv"


@pytest.mark.parametrize("content_type", ["", "text/plain", "image/png", "application/json; charset=latin-1"])
def test_other_content_types_are_unsupported(service: Service, content_type: str) -> None:
    with pytest.raises(RequestError, match=r"expected application/json|utf-8") as caught:
        service.decode(b"[]", content_type)
    assert (caught.value.code, caught.value.status) == ("unsupported_content_type", 415)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", codec.JSON),
        ("*/*", codec.JSON),
        ("application/json", codec.JSON),
        ("text/csv", codec.CSV),
        ("text/html, text/csv;q=0.5, */*;q=0.1", codec.CSV),
        ("TEXT/CSV", codec.CSV),
    ],
)
def test_the_answer_is_what_was_asked_for(accept: str, expected: str) -> None:
    assert codec.answer_type(accept) == expected


def test_an_answer_nobody_can_give_is_refused() -> None:
    with pytest.raises(RequestError, match="expected application/json, text/csv") as caught:
        codec.answer_type("image/png")
    assert caught.value.status == 406


@settings(deadline=None)
@given(body=st.binary(max_size=200), content_type=st.sampled_from([codec.JSON, codec.CSV]))
def test_no_bytes_bring_the_decoder_down(spec: ModelSpec, body: bytes, content_type: str) -> None:
    status = 200
    try:
        decode(spec, body, content_type)
    except RequestError as error:
        status = error.status
    assert status in {200, 400, 413}
