"""Smaller formats: what they compute, when they are kept, and that the same graph gives the same bytes."""

import hashlib
import io
import json
import tomllib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.spec import ModelSpec
from monitoring.baseline import Baseline, describe_numbers
from serving.core.service import load_service
from training.card import Artefact, _formats
from training.dataset import Rows
from training.errors import JobError
from training.formats import CONVERSIONS, Measured, _judged, described, write_formats
from training.onnx_model import OnnxModel
from training.onnx_weights import half_weights, int8_weights


def graph(scale: float = 1.0) -> bytes:
    """Three members of 7 → 96 → 1, their mean around 20."""
    random = np.random.default_rng(3)
    hidden = (random.normal(0, 0.01, (3, 7, 96)) * scale).astype(np.float32)
    out = random.normal(0, 1, (3, 96, 1)).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["features", "hidden"], ["h"]),
        helper.make_node("Tanh", ["h"], ["t"]),
        helper.make_node("MatMul", ["t", "out"], ["o"]),
        helper.make_node("ReduceMean", ["o", "axes"], ["m"], keepdims=0),
        helper.make_node("Add", ["m", "twenty"], ["prediction"]),
    ]
    constants = [
        numpy_helper.from_array(hidden, "hidden"),
        numpy_helper.from_array(out, "out"),
        numpy_helper.from_array(np.array([0, 2]), "axes"),
        numpy_helper.from_array(np.array(20, dtype=np.float32), "twenty"),
    ]
    built = helper.make_graph(
        nodes,
        "members",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", 7])],
        [helper.make_tensor_value_info("prediction", TensorProto.FLOAT, ["rows"])],
        constants,
    )
    model = helper.make_model(built, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    return model.SerializeToString()


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    features = np.random.default_rng(4).normal(0, 1, (40, 7)).astype(np.float32)
    (tmp_path / "model.onnx").write_bytes(graph())
    target = OnnxModel(tmp_path / "model.onnx").predict(features) + 1
    return Rows(columns={}, features=features, target=target)


def predicted(folder: Path, content: bytes, features: np.ndarray) -> np.ndarray:
    (folder / "other.onnx").write_bytes(content)
    return OnnxModel(folder / "other.onnx").predict(features)


@pytest.mark.parametrize(("convert", "kind", "close"), [(half_weights, "FLOAT16", 1e-3), (int8_weights, "INT8", 1e-2)])
def test_weights_are_smaller_and_predictions_stay(
    tmp_path: Path, rows: Rows, convert: Any, kind: str, close: float
) -> None:
    packed = convert(graph())
    assert convert(graph()) == packed, "the same graph gives the same bytes"
    stored = {each.name: each.data_type for each in onnx.load_model_from_string(packed).graph.initializer}
    assert TensorProto.DataType.Name(next(iter(stored.values()))) == kind
    assert stored["twenty"] == TensorProto.FLOAT
    found = predicted(tmp_path, packed, rows.features)
    assert np.allclose(found, rows.target - 1, rtol=close)
    alone = np.concatenate([predicted(tmp_path, packed, rows.features[at : at + 1]) for at in range(5)])
    assert np.allclose(alone, found[:5], rtol=1e-6), "a row's prediction does not depend on its company"


def test_weights_beyond_a_format_stay_finite(tmp_path: Path, rows: Rows) -> None:
    for content in (half_weights(graph(1e9)), int8_weights(graph(1e9)), int8_weights(graph(0.0))):
        assert np.isfinite(predicted(tmp_path, content, rows.features)).all()


def test_formats_within_the_gate_are_written_and_described(tmp_path: Path, spec: ModelSpec, rows: Rows) -> None:
    found = {each.format: each for each in write_formats(tmp_path, spec, rows)}
    assert list(found) == ["fp32", "int8", "fp16"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.fp16.onnx", "model.int8.onnx", "model.onnx"]
    assert found["int8"].bytes == (tmp_path / "model.int8.onnx").stat().st_size < found["fp16"].bytes
    assert found["fp32"].value == pytest.approx(1.0)
    assert 0 < (found["fp16"].largest_difference or 0) < (found["int8"].largest_difference or 0) < 0.01
    assert "× smaller" in found["int8"].verdict


def test_a_format_that_is_worse_than_allowed_is_not_kept(tmp_path: Path, spec: ModelSpec, rows: Rows) -> None:
    strict = spec.model_copy(update={"formats": spec.formats.model_copy(update={"tolerance": 0.0})})
    exact = Rows(columns={}, features=rows.features, target=rows.target - 1)
    found = write_formats(tmp_path, strict, exact)
    assert [each.kept for each in found] == [True, False, False]
    assert "with float32; at most 0.00% may be" in found[1].verdict
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    served = strict.model_copy(update={"formats": strict.formats.model_copy(update={"served": "int8"})})
    with pytest.raises(JobError, match=r"formats\.served is 'int8', which was not kept: mae is"):
        write_formats(tmp_path, served, exact)


def infinite(content: bytes) -> bytes:
    """The same graph, which predicts infinity."""
    model = onnx.load_model_from_string(content)
    for each in model.graph.initializer:
        if each.name == "twenty":
            each.CopyFrom(numpy_helper.from_array(np.array(np.inf, dtype=np.float32), "twenty"))
    return model.SerializeToString()


@pytest.mark.parametrize("metric", ["mae", "r2"])
def test_a_format_that_predicts_no_number_is_refused_whichever_way_the_metric_is_better(
    tmp_path: Path, spec: ModelSpec, rows: Rows, monkeypatch: pytest.MonkeyPatch, metric: str
) -> None:
    monkeypatch.setitem(CONVERSIONS, "fp16", infinite)
    gate = spec.gates[0].model_copy(update={"metric": metric, "maximum": None, "minimum": None})
    asked = spec.model_copy(update={"gates": (gate,)})
    found = write_formats(tmp_path, asked, rows)[-1]
    assert (found.format, found.kept, found.value, found.largest_difference) == ("fp16", False, None, None)
    assert found.verdict == "40 of 40 validation rows are predicted as no finite number"
    assert not (tmp_path / "model.fp16.onnx").exists()
    assert json.loads(json.dumps(described([found]), allow_nan=False))[0]["value"] is None


def test_a_format_without_a_figure_is_in_the_card(tmp_path: Path, spec: ModelSpec, rows: Rows) -> None:
    (measured, *_) = described(write_formats(tmp_path, spec, rows))
    listed = [measured | {"value": None, "largest_difference": None, "kept": False, "verdict": "why"}]
    card = _formats(cast("Artefact", SimpleNamespace(manifest={"formats": listed}, spec=spec)))
    assert "| none | none |" in card
    assert "**not kept**: why" in card


def test_a_trained_model_that_predicts_no_number_is_an_error(tmp_path: Path, spec: ModelSpec, rows: Rows) -> None:
    (tmp_path / "model.onnx").write_bytes(infinite(graph()))
    with pytest.raises(JobError, match="the trained model is of no use: 40 of 40 validation rows are predicted as no"):
        write_formats(tmp_path, spec, rows)


def test_a_format_is_judged_by_gate_and_use(spec: ModelSpec) -> None:
    first = Measured(
        format="fp32",
        file="model.onnx",
        bytes=1000,
        metric="mae",
        value=2.199,
        largest_difference=0,
        us_per_row_1=30,
        us_per_row_256=3,
        kept=True,
        verdict="",
    )
    broken = _judged(replace(first, format="int8", value=2.201, bytes=300), first, spec)
    assert (broken.kept, broken.verdict) == (
        False,
        "it breaks the gate mae maximum 2.2 with 2.201, which float32 keeps",
    )
    useless = _judged(replace(first, format="fp16", bytes=950), first, spec)
    assert (useless.kept, useless.verdict) == (False, "neither a tenth smaller nor a tenth faster than float32")
    faster = _judged(replace(first, format="fp16", us_per_row_256=1.5), first, spec)
    assert (faster.kept, faster.verdict) == (True, "1.0 × smaller, 2.00 × the speed at 256 rows")


IMAGES = """
name = "digits"
title = "Digits"
target = "digit"
key = ["name"]
features = ["picture"]
training = { instance_type = "ml.m5.large" }
gates = [{ metric = "mae", maximum = 1 }]
serving = { instance_type = "ml.m5.large", max_rows = 64 }
formats = { served = "int8" }

[columns]
name = { type = "string" }
picture = { type = "image", height = 8, width = 8, channels = 3 }
digit = { type = "category", categories = ["zero", "one", "two"] }
"""


def image_spec() -> ModelSpec:
    return ModelSpec.model_validate(tomllib.loads(IMAGES))


def image_graph(labels: int) -> bytes:
    """features [N, 3, 8, 8] → a convolution of 16 filters → [N, labels] probabilities, or [N] where there are none."""
    random = np.random.default_rng(5)
    filters = random.normal(0, 0.2, (16, 3, 3, 3)).astype(np.float32)
    filters *= 10.0 ** random.uniform(-2, 1, (16, 1, 1, 1)).astype(np.float32)
    dense = random.normal(0, 0.05, (16 * 64, max(labels, 1))).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["features", "filters"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Tanh", ["c"], ["t"]),
        helper.make_node("Flatten", ["t"], ["f"]),
        helper.make_node("MatMul", ["f", "dense"], ["d"]),
        helper.make_node("Softmax", ["d"], ["prediction"])
        if labels
        else helper.make_node("Squeeze", ["d", "last"], ["prediction"]),
    ]
    constants = [numpy_helper.from_array(filters, "filters"), numpy_helper.from_array(dense, "dense")]
    constants += [] if labels else [numpy_helper.from_array(np.array([1]), "last")]
    output = ["rows", labels] if labels else ["rows"]
    built = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", 3, 8, 8])],
        [helper.make_tensor_value_info("prediction", TensorProto.FLOAT, output)],
        constants,
    )
    model = helper.make_model(built, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    return model.SerializeToString()


def image_rows(folder: Path, labels: int) -> Rows:
    """Noise, and what the graph itself makes of it."""
    pictures = np.random.default_rng(6).uniform(0, 1, (40, 3, 8, 8)).astype(np.float32)
    (folder / "model.onnx").write_bytes(image_graph(labels))
    target = OnnxModel(folder / "model.onnx").predict(pictures)
    return Rows(columns={}, features=pictures, target=target.argmax(axis=1).astype(np.float64) if labels else target)


@pytest.mark.parametrize("labels", [0, 3])
@pytest.mark.parametrize(("convert", "kind"), [(half_weights, TensorProto.FLOAT16), (int8_weights, TensorProto.INT8)])
def test_a_convolution_is_smaller_and_sees_the_same(tmp_path: Path, convert: Any, kind: int, labels: int) -> None:
    rows = image_rows(tmp_path, labels)
    packed = convert(image_graph(labels))
    stored = {each.name: each.data_type for each in onnx.load_model_from_string(packed).graph.initializer}
    assert [name for name, data_type in stored.items() if data_type == kind] == [
        f"{name}_{'half' if kind == TensorProto.FLOAT16 else 'int8'}" for name in ("filters", "dense")
    ]
    expected = OnnxModel(tmp_path / "model.onnx").predict(rows.features)
    assert np.allclose(predicted(tmp_path, packed, rows.features), expected, atol=0.02)


@pytest.mark.parametrize("labels", [0, 3])
def test_formats_of_a_model_of_images_are_tried_and_kept(tmp_path: Path, labels: int) -> None:
    rows = image_rows(tmp_path, labels)
    spec = image_spec()
    generous = spec.model_copy(update={"formats": spec.formats.model_copy(update={"tolerance": 0.99})})
    found = write_formats(tmp_path, generous, replace(rows, target=rows.target + 0.4))
    assert [(each.format, each.kept) for each in found] == [("fp32", True), ("int8", True), ("fp16", True)], found
    assert found[1].bytes < found[0].bytes / 2
    assert sorted(path.name for path in tmp_path.glob("model*.onnx")) == [
        "model.fp16.onnx",
        "model.int8.onnx",
        "model.onnx",
    ]


def test_an_image_model_is_served_in_a_smaller_format(tmp_path: Path) -> None:
    rows = image_rows(tmp_path, 3)
    (tmp_path / "model.int8.onnx").write_bytes(int8_weights(image_graph(3)))
    (tmp_path / "spec.json").write_text(image_spec().to_json())
    places = describe_numbers("digit", rows.target)
    Baseline(model="digits", rows=40, features=(), target=places, prediction=places, sample=()).save(
        tmp_path / "baseline.json"
    )
    files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()}
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 1, "model": "digits", "files": files}))
    service = load_service(tmp_path, None, "group/1")
    body = io.BytesIO()
    np.save(body, rows.features[:8])
    answer = json.loads(service.answer(body.getvalue(), "application/x-npy", "application/json").body)
    small = OnnxModel(tmp_path / "model.int8.onnx").predict(rows.features[:8])
    assert np.allclose(answer["probabilities"], small, atol=1e-5)
    assert not np.allclose(small, OnnxModel(tmp_path / "model.onnx").predict(rows.features[:8]), atol=1e-5)
