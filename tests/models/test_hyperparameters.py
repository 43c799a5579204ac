"""What every model folder tells its network is what the network knows: wrong keys stop here, not in a paid job."""

from importlib import import_module
from pathlib import Path

import pytest

from models.spec import ModelSpec, discover
from training.errors import JobError
from training.hyperparameters import parse_network

SPECS = discover(Path("models"))


def told(spec: ModelSpec) -> dict[str, str]:
    """As the pipeline passes them: text."""
    return {name: str(value) for name, value in spec.training.hyperparameters.items()}


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_the_network_knows_each_of_them(spec: ModelSpec) -> None:
    loop, _ = parse_network(told(spec), import_module(f"models.{spec.table}.network").Hyperparameters)
    assert loop.epochs >= 1


def test_a_wrong_one_would_be_found() -> None:
    hyperparameters = import_module("models.auto_mpg.network").Hyperparameters
    with pytest.raises(JobError, match="epochz"):
        parse_network({**told(SPECS[0]), "epochz": "300"}, hyperparameters)
