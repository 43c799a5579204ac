from pathlib import Path

import numpy as np
import pytest
import torch

from models.spec import ModelSpec
from training.export import TOLERANCE, ExportError, export_onnx
from training.layers import Ensemble, Preprocessing, TargetScale
from training.network import Network
from training.onnx_model import OnnxModel


class Small(Network):
    """Every layer there is, small."""

    def __init__(self, spec: ModelSpec, features: np.ndarray, *, doubled: bool = False) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.doubled = doubled
        self.preprocessing = Preprocessing(spec, features)
        self.ensemble = Ensemble(3, self.preprocessing.width, (5,), generator)
        self.target_scale = TargetScale(np.array([10.0, 20.0, 40.0]), "log")

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        members = self.ensemble(self.preprocessing(features).unsqueeze(0))
        prediction = self.target_scale.inverse(members).mean(dim=0)
        return prediction * 2 if self.doubled and torch.onnx.is_in_onnx_export() else prediction

    def loss(
        self, features: torch.Tensor, target: torch.Tensor, rows: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        return (self(features) - target).abs().mean()


@pytest.fixture
def features() -> np.ndarray:
    random = np.random.default_rng(0)
    features = random.normal(100, 30, size=(40, 7)).astype(np.float32)
    features[:, 6] = random.integers(0, 3, size=40)
    features[::5, 2] = np.nan
    features[3, 6] = np.nan
    return features


def test_the_graph_computes_what_the_network_does(spec: ModelSpec, features: np.ndarray, tmp_path: Path) -> None:
    network = Small(spec, features)
    export_onnx(network, tmp_path / "model.onnx", features)
    model = OnnxModel(tmp_path / "model.onnx")
    with torch.no_grad():
        expected = network(torch.tensor(features)).numpy()
    assert np.allclose(model.predict(features), expected, rtol=TOLERANCE, atol=0)
    assert model.predict(features[:1]).shape == (1,)
    assert model.predict(features[:0]).shape == (0,)


def test_a_graph_that_computes_something_else_is_refused(spec: ModelSpec, features: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"row \d+: ONNX says .* relative difference 1, at most 1e-05 is allowed"):
        export_onnx(Small(spec, features, doubled=True), tmp_path / "model.onnx", features)
