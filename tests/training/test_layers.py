import numpy as np
import pytest
import torch

from models.spec import ModelSpec
from training.errors import JobError
from training.layers import Ensemble, Preprocessing, TargetScale, bags


def test_a_missing_number_counts_as_the_mean_and_a_missing_category_as_none(spec: ModelSpec) -> None:
    features = np.array([[4, 100, 50, 2000, 10, 70, 0], [8, 300, 150, 4000, 20, 80, 1]], dtype=np.float32)
    layer = Preprocessing(spec, features)
    rows = torch.tensor([[float("nan")] * 7, [6, 200, 100, 3000, 15, 75, 0]])
    empty, middle = layer(rows)
    assert torch.allclose(empty[:6], torch.zeros(6))
    assert torch.allclose(middle[:6], torch.zeros(6), atol=1e-6)
    assert empty[6:].tolist() == pytest.approx([-1.0, -1.0, 0.0])
    assert middle[6:].tolist() == pytest.approx([1.0, -1.0, 0.0])


def test_numbers_may_lie_apart(spec: ModelSpec) -> None:
    features = np.array([[4, 100, 50, 2000, 10, 70, 0], [8, 300, 150, 4000, 20, 80, 1]], dtype=np.float32)
    order = [0, 6, 1, 2, 3, 4, 5]
    apart = spec.model_copy(update={"features": tuple(spec.features[at] for at in order)})
    beside, between = Preprocessing(spec, features), Preprocessing(apart, features[:, order])
    assert (beside.span, between.span) == ((0, 6), (0, 0))
    assert torch.equal(between(torch.tensor(features[:, order])), beside(torch.tensor(features)))


@pytest.mark.parametrize("kind", ["linear", "log"])
def test_the_target_scale_is_its_own_inverse(kind: str) -> None:
    target = np.array([10.0, 20.0, 35.0])
    scale = TargetScale(target, kind)  # pyright: ignore[reportArgumentType]
    values = torch.tensor(target, dtype=torch.float32)
    assert torch.allclose(scale.inverse(scale(values)), values, rtol=1e-5)
    assert float(scale(values).mean()) == pytest.approx(0, abs=1e-6)


def test_the_logarithm_of_zero_is_refused() -> None:
    with pytest.raises(JobError, match='the target goes down to 0: set the hyperparameter target_scale = "linear"'):
        TargetScale(np.array([0.0, 1.0]), "log")


def test_members_do_not_see_one_another() -> None:
    ensemble = Ensemble(3, 2, (4, 4), torch.Generator().manual_seed(0))
    inputs = torch.randn(1, 5, 2, generator=torch.Generator().manual_seed(1))
    before = ensemble(inputs).detach()
    with torch.no_grad():
        ensemble.get_parameter("layers.0.weight")[1] += 1
    after = ensemble(inputs).detach()
    assert torch.equal(before[[0, 2]], after[[0, 2]])
    assert not torch.allclose(before[1], after[1])


def test_bags_weigh_one_on_average() -> None:
    weights = bags(50, 400, 0.8, torch.Generator().manual_seed(0))
    assert float(weights.mean()) == pytest.approx(1, abs=0.02)
    assert set(weights.unique().tolist()) == {0.0, 1.25}


def test_rows_may_come_without_a_place_for_members() -> None:
    inputs = torch.randn(5, 2, generator=torch.Generator().manual_seed(1))
    several, one = (Ensemble(members, 2, (4, 4), torch.Generator().manual_seed(0)) for members in (3, 1))
    assert torch.equal(several(inputs), several(inputs.unsqueeze(0)))
    assert one(inputs).shape == (5,)
    assert torch.allclose(one(inputs), one(inputs.unsqueeze(0))[0], atol=1e-6)
