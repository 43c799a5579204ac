"""Requests are refused for what botocore's model of the service says, in the words of AWS."""

from typing import Any

import pytest

from rehearsal.aws.jobs.requests import members, problem


def request(**changes: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "TrainingJobName": "cars-1",
        "RoleArn": "arn:aws:iam::111111111111:role/train",
        "AlgorithmSpecification": {"TrainingInputMode": "File", "TrainingImage": "image"},
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/models/"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, None),
        ({"RoleArn": None}, "at 'roleArn' failed to satisfy constraint: Member must not be null"),
        ({"TrainingJobName": "under_score"}, "'under_score' at 'trainingJobName'"),
        ({"TrainingJobName": "x" * 64}, "at 'trainingJobName'"),
        ({"StoppingCondition": {"MaxRuntimeInSeconds": 0}}, "'0' at 'stoppingCondition.maxRuntimeInSeconds'"),
        ({"InputDataConfig": [{"ChannelName": "a"}]}, "at 'inputDataConfig.1.member.dataSource'"),
        ({"ResourceConfig": {"InstanceType": "ml.x.large", "VolumeSizeInGB": 1}}, "'ml.x.large' at 'resourceConfig."),
    ],
)
def test_the_first_problem_is_told(changes: dict[str, Any], text: str | None) -> None:
    found = problem("sagemaker", "CreateTrainingJob", request(**changes))
    assert (found is None) if text is None else (found is not None and text in found)


def test_the_parameters_of_an_operation_are_known() -> None:
    assert {"TrainingJobName", "CheckpointConfig"} <= members("sagemaker", "CreateTrainingJob")
