"""A machine that SageMaker does not have is found before anything is touched."""

from pathlib import Path

import pytest

from infra.instance_types import check_instance_types
from models.spec import SpecError, discover, parse_spec

TEXT = (Path("models") / "auto_mpg" / "model.toml").read_text()


def test_every_model_of_the_repository_asks_for_machines_that_exist() -> None:
    specs = discover(Path("models"))
    assert specs
    for spec in specs:
        check_instance_types(spec)


@pytest.mark.parametrize(("section", "nearest"), [("training", "ml.g5.xlarge"), ("serving", "ml.g5.xlarge")])
def test_an_unknown_machine_is_named_with_its_neighbours(section: str, nearest: str) -> None:
    text = TEXT.replace(f'[{section}]\ninstance_type = "ml.m5.large"', f'[{section}]\ninstance_type = "ml.g5.xlrge"')
    spec = parse_spec("auto_mpg", text, "model.toml")
    with pytest.raises(SpecError, match=rf"{section}\.instance_type: SageMaker has no 'ml\.g5\.xlrge'.*{nearest}"):
        check_instance_types(spec)
