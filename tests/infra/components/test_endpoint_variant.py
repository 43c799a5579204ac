from pathlib import Path
from typing import Any, cast

import pytest

from infra.components.endpoint_variant import data_capture
from models.spec import ModelSpec, load_spec


class UsedError(Exception):
    """The platform was asked for its bucket: traffic would be captured."""


class Platform:
    @property
    def buckets(self) -> Any:
        raise UsedError


@pytest.fixture
def spec(project_dir: Path) -> ModelSpec:
    return load_spec(project_dir / "models" / "auto_mpg")


def marked(spec: ModelSpec, name: str) -> ModelSpec:
    columns = tuple(column.model_copy(update={"pii": column.name == name}) for column in spec.columns)
    return spec.model_copy(update={"columns": columns})


def test_bodies_are_not_kept_where_a_feature_is_personal(spec: ModelSpec) -> None:
    assert data_capture(marked(spec, "origin"), cast("Any", Platform())) is None


def test_a_personal_key_is_in_no_body(spec: ModelSpec) -> None:
    with pytest.raises(UsedError):
        data_capture(marked(spec, "name"), cast("Any", Platform()))
