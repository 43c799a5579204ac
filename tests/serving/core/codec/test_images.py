"""A model of images with a graph that tells light from dark: pictures in, labels out."""

import hashlib
import io
import json
import struct
import tomllib
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from models.spec import ModelSpec
from monitoring.baseline import Baseline, describe_numbers
from serving.core.artefact import ArtefactError
from serving.core.codec import decoders, request_types
from serving.core.codec.images import MOST_PIXELS
from serving.core.errors import RequestError
from serving.core.job import Answer
from serving.core.service import Service, load_service

SPEC = """
name = "light"
title = "Light or dark"
target = "label"
key = ["name"]
features = ["picture"]
training = { instance_type = "ml.m5.large" }
gates = [{ metric = "mae", maximum = 1 }]
serving = { instance_type = "ml.m5.large", max_rows = 3 }

[columns]
name = { type = "string" }
picture = { type = "image", height = 4, width = 6, channels = 1 }
label = { type = "category", categories = ["dark", "light"] }
"""


def image_spec(channels: int = 1) -> ModelSpec:
    return ModelSpec.model_validate(tomllib.loads(SPEC.replace("channels = 1", f"channels = {channels}")))


def graph(channels: int = 1) -> bytes:
    """features [N, C, 4, 6] → [1 - mean, mean], as [N, 2]."""
    nodes = [
        helper.make_node("ReduceMean", ["features"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "axis"], ["light"]),
        helper.make_node("Sub", ["one", "light"], ["dark"]),
        helper.make_node("Concat", ["dark", "light"], ["prediction"], axis=1),
    ]
    constants = [
        numpy_helper.from_array(np.array([1], dtype=np.int64), "axis"),
        numpy_helper.from_array(np.array(1, dtype=np.float32), "one"),
    ]
    inputs = [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", channels, 4, 6])]
    outputs = [helper.make_tensor_value_info("prediction", TensorProto.FLOAT, ["N", 2])]
    model = helper.make_model(
        helper.make_graph(nodes, "light", inputs, outputs, constants),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=10,
    )
    onnx.checker.check_model(model)
    return model.SerializeToString()


def write(folder: Path, model: bytes) -> Path:
    folder.mkdir(parents=True)
    places = describe_numbers("label", np.array([0.0, 1.0, 1.0]))
    baseline = Baseline(model="light", rows=3, features=(), target=places, prediction=places, sample=())
    (folder / "model.onnx").write_bytes(model)
    (folder / "spec.json").write_text(image_spec().to_json())
    baseline.save(folder / "baseline.json")
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}
    (folder / "manifest.json").write_text(json.dumps({"format": 1, "model": "light", "files": files}))
    return folder


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Service:
    return load_service(write(tmp_path_factory.mktemp("images") / "model", graph()), None, "light/1")


def picture(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def decode(body: bytes, media_type: str = "image/png", channels: int = 1) -> np.ndarray:
    rows, values = decoders(image_spec(channels))[media_type](body)
    assert len(values) == rows
    return np.asarray(values)


def refusal(body: bytes, media_type: str = "image/png") -> RequestError:
    with pytest.raises(RequestError) as caught:
        decode(body, media_type)
    assert caught.value.status in {400, 413}
    return caught.value


GRADIENT = np.arange(0, 240, 10, dtype=np.uint8).reshape(4, 6)


def test_a_picture_of_the_right_size_is_its_pixels() -> None:
    read = decode(picture(Image.fromarray(GRADIENT)))
    assert (read.shape, read.dtype) == ((1, 1, 4, 6), np.float32)
    np.testing.assert_allclose(read[0, 0], GRADIENT / 255, atol=1e-6)


@pytest.mark.parametrize(("kind", "media_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg")])
@pytest.mark.parametrize("mode", ["L", "RGB", "1", "CMYK", "P"])
def test_any_size_and_mode_becomes_that_of_the_model(kind: str, media_type: str, mode: str) -> None:
    if (kind, mode) in {("PNG", "CMYK"), ("JPEG", "P")}:
        mode = "RGB"
    grey = Image.new("L", (301, 97), 255).convert(mode)
    np.testing.assert_allclose(decode(picture(grey, kind), media_type), np.ones((1, 1, 4, 6)), atol=0.01)


def test_colours_are_channels_in_the_order_red_green_blue() -> None:
    orange = decode(picture(Image.new("RGB", (9, 9), (255, 128, 0))), channels=3)
    assert orange.shape == (1, 3, 4, 6)
    np.testing.assert_allclose(orange[0, :, 0, 0], [1, 128 / 255, 0], atol=1e-6)


def test_what_is_transparent_is_white_and_sixteen_bits_keep_their_scale() -> None:
    assert decode(picture(Image.new("RGBA", (6, 4), (0, 0, 0, 0)))).min() == 1
    deep = Image.fromarray(np.full((4, 6), 32896, dtype=np.uint16))
    np.testing.assert_allclose(decode(picture(deep)), 128 / 255, atol=1e-6)


def test_a_picture_is_turned_as_its_camera_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    turned = decode(picture(Image.fromarray(GRADIENT), exif=exif))
    np.testing.assert_allclose(turned[0, 0], GRADIENT[::-1, ::-1] / 255, atol=1e-6)


def test_the_answer_is_the_label_and_how_likely_each_is(light: Service) -> None:
    body = picture(Image.new("L", (6, 4), 204))
    document = json.loads(light.answer(body, "image/png").body)
    assert document["predictions"] == ["light"]
    assert document["labels"] == ["dark", "light"]
    assert document["probabilities"][0] == pytest.approx([0.2, 0.8], abs=1e-6)
    assert (document["model"], document["target"], document["release"]) == ("light", "label", "light/1")
    assert light.answer(body, "image/png", "text/csv").body == b"light\n"
    raw = light.answer(body, "image/png", "application/octet-stream").body
    assert np.frombuffer(raw, "<f4").tolist() == pytest.approx([0.2, 0.8], abs=1e-6)


def test_pictures_and_tensors_of_several_requests_share_a_run(light: Service) -> None:
    stacked = np.stack([np.zeros((1, 4, 6), dtype="<f4"), np.ones((1, 4, 6), dtype="<f4")])
    file = io.BytesIO()
    np.save(file, stacked)
    jobs = [
        light.decode(picture(Image.new("L", (6, 4), 255)), "image/png"),
        light.decode(stacked.tobytes(), "application/octet-stream"),
        light.decode(file.getvalue(), "application/x-npy"),
        light.decode(picture(Image.new("L", (60, 40), 0), "JPEG"), "image/jpeg"),
    ]
    answered = light.answer_all(jobs)
    labels = [json.loads(answer.body)["predictions"] for answer in answered.answers if isinstance(answer, Answer)]
    assert labels == [["light"], ["dark", "light"], ["dark", "light"], ["dark"]]
    assert answered.predictions.tolist() == [1, 0, 1, 0, 1, 0]


def test_what_a_model_of_images_does_not_take_or_give(light: Service) -> None:
    assert request_types(light.spec) == ("image/png", "image/jpeg", "application/x-npy", "application/octet-stream")
    for body, content_type, accept, status in [
        (b"{}", "application/json", "", 415),
        (b"GIF89a", "image/gif", "", 415),
        (picture(Image.fromarray(GRADIENT)), "image/png", "application/vnd.apache.arrow.stream", 406),
    ]:
        with pytest.raises(RequestError) as caught:
            light.decode(body, content_type, accept)
        assert caught.value.status == status


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def bomb(width: int, height: int) -> bytes:
    """A PNG that announces `width` × `height` pixels in a few hundred bytes."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [5_001, 9_500, 30_000, 2**31 - 1])
def test_a_decompression_bomb_is_refused_before_it_is_unpacked(side: int) -> None:
    assert side * side > MOST_PIXELS
    assert refusal(bomb(side, side)).code in {"body_too_large", "malformed_image"}


def test_damaged_and_foreign_files_are_refused() -> None:
    good = picture(Image.fromarray(GRADIENT))
    gif = picture(Image.fromarray(GRADIENT), "GIF")
    for body in (gif, good[: len(good) // 2], good[8:], b"x" * 50, picture(Image.fromarray(GRADIENT), "JPEG")):
        error = refusal(body)
        assert (error.code, error.field) == ("malformed_image", "picture")
    assert refusal(b"").code == "no_rows"


@pytest.mark.parametrize(
    ("array", "code", "row"),
    [
        (np.zeros((2, 1, 4, 5), dtype="f4"), "wrong_shape", None),
        (np.zeros((4, 6), dtype="f4"), "wrong_shape", None),
        (np.zeros((1, 1, 4, 6), dtype="u1"), "wrong_type", None),
        (np.array([np.zeros((1, 4, 6)), np.full((1, 4, 6), 1.5)]), "out_of_range", 1),
        (np.full((1, 4, 6), np.nan), "not_finite", 0),
        (np.zeros((4, 1, 4, 6)), "too_many_rows", None),
        (np.zeros((0, 1, 4, 6)), "no_rows", None),
    ],
)
def test_a_tensor_of_something_else_is_refused(array: np.ndarray, code: str, row: int | None) -> None:
    file = io.BytesIO()
    np.save(file, array)
    error = refusal(file.getvalue(), "application/x-npy")
    assert (error.code, error.row) == (code, row)


@pytest.mark.parametrize(("kind", "value"), [("f4", 1.000001), ("f8", 1.00000001)])
def test_a_value_just_above_the_range_is_told_with_its_digits(kind: str, value: float) -> None:
    file = io.BytesIO()
    np.save(file, np.full((1, 4, 6), value, dtype=kind))
    assert refusal(file.getvalue(), "application/x-npy").message.endswith(f"expected values from 0 to 1, got {value}")


def test_raw_bytes_of_half_an_image_are_refused() -> None:
    error = refusal(b"\0" * 97, "application/octet-stream")
    assert error.code == "malformed_tensor"
    assert "96 an image: 1 × 4 × 6 float32" in error.message


def test_a_graph_of_another_signature_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"expected 'features' float32 \[N, 1, 4, 6\]"):
        load_service(write(tmp_path / "model", graph(channels=3)), None, "")


PICTURES = {
    "image/png": picture(Image.fromarray(GRADIENT)),
    "image/jpeg": picture(Image.fromarray(np.full((40, 60, 3), 77, dtype=np.uint8)), "JPEG"),
}


@settings(deadline=None)
@given(
    media_type=st.sampled_from(sorted(PICTURES)),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
    cut=st.integers(0, 40),
)
def test_damaged_pictures_are_refused_or_pixels(media_type: str, changes: list[tuple[float, int]], cut: int) -> None:
    damaged = bytearray(PICTURES[media_type])
    for place, value in changes:
        damaged[int(place * len(damaged))] = value
    read: Any = None
    try:
        read = decode(bytes(damaged[: len(damaged) - cut]), media_type)
    except RequestError as error:
        read = error.code
    assert (
        read in ("malformed_image", "body_too_large") if isinstance(read, str) else 0 <= read.min() <= read.max() <= 1
    )
