"""Names within SageMaker's limits, and the instance types that bring their own disks."""

import hashlib
import re
from typing import Any

import botocore.session
import pytest

from pipelines.jobs import has_local_storage, job_name, job_prefix

LONGEST = "drivetrainxyzab-stagingabcdefgh-a-model-of-the-most-length"


@pytest.mark.parametrize("name", ["drivetrain-local-auto-mpg", "drivetrain-production-auto-mpg", LONGEST])
def test_a_job_name_fits_whatever_the_execution_is_called(name: str) -> None:
    execution = "0f2a-_" * 13
    job = job_name(job_prefix(name), execution)
    pattern = _pattern("CreateTrainingJobRequest", "TrainingJobName")
    assert len(job) <= 63
    assert re.fullmatch(pattern, job)
    assert job.endswith(hashlib.md5(execution.encode()).hexdigest())


def test_a_short_name_stays_and_long_ones_stay_apart() -> None:
    assert job_prefix("drivetrain-production-auto-mpg") == "drivetrain-production-auto-mpg"
    assert job_prefix(LONGEST) != job_prefix(LONGEST + "s")
    assert job_prefix(LONGEST).startswith("drivetrainxyzab-stagi")


@pytest.mark.parametrize(
    ("instance_type", "local"),
    [
        ("ml.m5.large", False),
        ("ml.c7i.2xlarge", False),
        ("ml.p3.2xlarge", False),
        ("ml.inf2.xlarge", False),
        ("ml.g4dn.xlarge", True),
        ("ml.g5.xlarge", True),
        ("ml.g6e.12xlarge", True),
        ("ml.p4d.24xlarge", True),
        ("ml.p5.48xlarge", True),
        ("ml.p6-b200.48xlarge", True),
        ("ml.m5d.large", True),
        ("ml.m6id.large", True),
        ("ml.trn1.32xlarge", True),
    ],
)
def test_local_storage(instance_type: str, local: bool) -> None:
    assert has_local_storage(instance_type) is local


def _pattern(shape: str, member: str) -> str:
    model: Any = botocore.session.get_session().get_service_model("sagemaker")
    return model.shape_for(shape).members[member].metadata["pattern"]
