"""Which SageMaker instance types there are, asked of botocore's service model, so that a typing error stops early."""

import difflib
from functools import cache
from typing import Any

import botocore.session

from models.spec import ModelSpec, SpecError

_SHAPES = {"training": "TrainingInstanceType", "serving": "ProductionVariantInstanceType"}


def check_instance_types(spec: ModelSpec) -> None:
    """SpecError, with the nearest known types, when the model asks for a machine that SageMaker does not have."""
    for section, instance_type in (
        ("training", spec.training.instance_type),
        ("serving", spec.serving.instance_type),
    ):
        known = known_instance_types(section)
        if instance_type not in known:
            close = ", ".join(difflib.get_close_matches(instance_type, known, n=3)) or "see the SageMaker pricing page"
            raise SpecError(
                f"models/{spec.table}/model.toml: {section}.instance_type: SageMaker has no {instance_type!r} for "
                f"{section}; near to it: {close}"
            )


@cache
def known_instance_types(section: str) -> tuple[str, ...]:
    """The instance types that SageMaker takes for `training` or `serving`."""
    model: Any = botocore.session.get_session().get_service_model("sagemaker")
    return tuple(model.shape_for(_SHAPES[section]).enum)
