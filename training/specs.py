"""Finding a model's specification in the image a job runs in."""

from pathlib import Path

import models
from models.spec import ModelSpec, SpecError, find_spec
from training.errors import JobError


def spec_named(name: str) -> ModelSpec:
    """The specification of the model `name`; JobError lists the models this image holds."""
    try:
        return find_spec(Path(models.__file__ or "").parent, name)
    except SpecError as error:
        raise JobError(str(error)) from error
