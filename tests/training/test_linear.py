import numpy as np

from models.spec import ModelSpec
from training.linear import LinearModel


def test_a_linear_target_is_found_again_and_missing_values_count_as_the_mean(spec: ModelSpec) -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(200, 7)).astype(np.float32)
    features[:, 6] = random.integers(0, 3, size=200)
    target = 3.0 + features[:, 0] - 2.0 * features[:, 3] + np.array([0.0, 1.0, 5.0])[features[:, 6].astype(int)]
    model = LinearModel.fit(spec, features, target.astype(np.float64))
    assert np.allclose(model.predict(features), target, atol=1e-5)
    missing, mean = features[:1].copy(), features[:1].copy()
    missing[0, 0], mean[0, 0] = np.nan, features[:, 0].astype(np.float64).mean()
    assert np.allclose(model.predict(missing), model.predict(mean), atol=1e-6)
