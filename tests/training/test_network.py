import subprocess
import sys
import types
from pathlib import Path

import pytest

from models.spec import ModelSpec
from training.errors import JobError
from training.network import load_network


def test_a_model_without_network_is_named(spec: ModelSpec) -> None:
    with pytest.raises(JobError, match=r"models/no_such/network.py: no such file; it holds the network of no-such"):
        load_network(spec.model_copy(update={"name": "no-such"}))


def test_a_network_without_build_is_named(spec: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("models.half.network")
    setattr(module, "Hyperparameters", object)  # noqa: B010 (a module of the test has no such attribute)
    monkeypatch.setitem(sys.modules, "models.half", types.ModuleType("models.half"))
    monkeypatch.setitem(sys.modules, "models.half.network", module)
    with pytest.raises(JobError, match=r"models/half/network.py: 'build' is missing"):
        load_network(spec.model_copy(update={"name": "half"}))


@pytest.mark.slow
def test_evaluation_and_baseline_never_import_torch() -> None:
    code = "import sys, training.evaluate, monitoring.baseline; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == 0
