"""A model that answers as the right release passes; one that answers as another does not."""

import pytest

from delivery.acceptance.findings import RefusedModelError, refuse
from delivery.acceptance.smoke import smoke
from tests.delivery.acceptance.conftest import Deployed


def test_a_released_model_answers_with_a_number(deployed: Deployed) -> None:
    prediction, release = smoke(*deployed())
    assert (prediction.result, release.result) == ("passed", "passed")
    assert prediction.said.startswith("mpg ")


def test_another_release_than_declared_is_a_failure(deployed: Deployed) -> None:
    checks = smoke(*deployed(release="arn:aws:sagemaker:eu-west-1:111111111111:model-package/other/1"))
    with pytest.raises(RefusedModelError, match=r"auto-mpg: smoke: release: answers as .*other/1, not as .*mpg/7"):
        refuse("auto-mpg", checks)
