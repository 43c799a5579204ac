"""Train and evaluate on SageMaker, in the VPC, encrypted, with no network for the containers.

Both jobs run the training image by digest. Checkpoints lie in a folder of the execution, so that a spot interruption
resumes and another execution starts afresh.
"""

import json
from typing import Any

from models.schema import Hyperparameter
from models.spec import ModelSpec
from pipelines.begin import EXECUTION, image_uri
from pipelines.dataset import SNAPSHOT, export_uri
from pipelines.jobs import has_local_storage
from pipelines.states import SAGEMAKER_JOB_ERRORS, State, States, patient_retry, read_json, task
from pipelines.targets import PipelineTargets

ARTEFACT = "$.train.artefact"
_PROCESSING = "/opt/ml/processing"
# Evaluation runs the exported ONNX graph on the CPU, whatever the model was trained on.
_EVALUATION_INSTANCE = "ml.m5.xlarge"
_EVALUATION_RUNTIME_S = 3600
# A job that reaches its own limit is stopped by SageMaker, which says so; the state's limit only backs that up.
_STARTUP_S = 1800


def training(spec: ModelSpec, targets: PipelineTargets, *, next_state: str) -> States:
    """From the exported snapshot to `$.train` and `$.evaluation`."""
    return {
        "Train": _train(spec, targets),
        "Evaluate": _evaluate(spec, targets),
        "ReadEvaluation": read_json(
            targets.artifacts_bucket,
            "$.run.evaluation_key",
            step="Evaluate",
            result_path="$.evaluation",
            next_state=next_state,
        ),
    }


def training_parameters(spec: ModelSpec, targets: PipelineTargets) -> dict[str, Any]:
    """The request of `CreateTrainingJob`."""
    return {
        "TrainingJobName.$": "$.run.job",
        "RoleArn": targets.train_role_arn,
        "AlgorithmSpecification": {
            "TrainingImage.$": image_uri(targets.training_image, "training"),
            "TrainingInputMode": "File",
        },
        "HyperParameters": _hyperparameters(spec, targets),
        "InputDataConfig": [
            {"ChannelName": "dataset", "DataSource": {"S3DataSource": _s3_prefix(export_uri(spec, targets))}}
        ],
        "OutputDataConfig": {
            "S3OutputPath": f"s3://{targets.artifacts_bucket}/models/{spec.name}/",
            "KmsKeyId": targets.data_key_arn,
        },
        "CheckpointConfig": {
            "S3Uri.$": f"States.Format('s3://{targets.artifacts_bucket}/checkpoints/{spec.name}/{{}}/', {EXECUTION})",
            "LocalPath": "/opt/ml/checkpoints",
        },
        "ResourceConfig": {
            "InstanceType": spec.training.instance_type,
            "InstanceCount": spec.training.instance_count,
            "VolumeSizeInGB": spec.training.volume_gb,
            **_volume_key(spec.training.instance_type, targets),
        },
        "StoppingCondition": _stopping_condition(spec),
        "EnableManagedSpotTraining": spec.training.spot,
        "EnableNetworkIsolation": True,
        "VpcConfig": _vpc(targets),
        "Tags": _tags(spec, targets),
    }


def processing_parameters(spec: ModelSpec, targets: PipelineTargets) -> dict[str, Any]:
    """The request of `CreateProcessingJob` that evaluates the trained model on the held-out rows."""
    inputs = [
        _processing_input("model", {"S3Uri.$": ARTEFACT}),
        _processing_input("dataset", {"S3Uri.$": export_uri(spec, targets)}),
    ]
    if targets.released is not None:
        inputs.append(_processing_input("released", {"S3Uri": targets.released.artefact}))
    return {
        "ProcessingJobName.$": "$.run.job",
        "RoleArn": targets.evaluate_role_arn,
        "AppSpecification": {
            "ImageUri.$": image_uri(targets.training_image, "training"),
            "ContainerEntrypoint": ["python", "-m", "training"],
            "ContainerArguments": ["evaluate"],
        },
        "Environment": {"MODEL": spec.name, "SNAPSHOT_ID.$": SNAPSHOT},
        "ProcessingInputs": inputs,
        "ProcessingOutputConfig": {"Outputs": [_processing_output()], "KmsKeyId": targets.data_key_arn},
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": _EVALUATION_INSTANCE,
                "InstanceCount": 1,
                "VolumeSizeInGB": spec.training.volume_gb,
                "VolumeKmsKeyId": targets.data_key_arn,
            }
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": _EVALUATION_RUNTIME_S},
        "NetworkConfig": {"EnableNetworkIsolation": True, "VpcConfig": _vpc(targets)},
        "Tags": _tags(spec, targets),
    }


def _train(spec: ModelSpec, targets: PipelineTargets) -> State:
    limit = spec.training.max_wait_s if spec.training.spot else spec.training.max_runtime_s
    return task(
        "sagemaker:createTrainingJob.sync",
        training_parameters(spec, targets),
        step="Train",
        errors=SAGEMAKER_JOB_ERRORS,
        timeout_s=limit + _STARTUP_S,
        retry=patient_retry(),
        result={"job.$": "$.TrainingJobName", "artefact.$": "$.ModelArtifacts.S3ModelArtifacts"},
        result_path="$.train",
        next_state="Evaluate",
    )


def _evaluate(spec: ModelSpec, targets: PipelineTargets) -> State:
    return task(
        "sagemaker:createProcessingJob.sync",
        processing_parameters(spec, targets),
        step="Evaluate",
        errors=SAGEMAKER_JOB_ERRORS,
        timeout_s=_EVALUATION_RUNTIME_S + _STARTUP_S,
        retry=patient_retry(),
        next_state="ReadEvaluation",
    )


def _hyperparameters(spec: ModelSpec, targets: PipelineTargets) -> dict[str, str]:
    given = {"seed": spec.split.seed, **spec.training.hyperparameters}
    return {
        **{name: _as_text(value) for name, value in given.items()},
        "model": spec.name,
        "snapshot_id.$": SNAPSHOT,
        "image.$": image_uri(targets.training_image, "training"),
    }


def _as_text(value: Hyperparameter) -> str:
    """Hyperparameters are text to SageMaker: numbers and truth values as JSON writes them."""
    return value if isinstance(value, str) else json.dumps(value)


def _stopping_condition(spec: ModelSpec) -> dict[str, int]:
    limits = {"MaxRuntimeInSeconds": spec.training.max_runtime_s}
    if spec.training.spot:
        limits["MaxWaitTimeInSeconds"] = spec.training.max_wait_s
    return limits


def _volume_key(instance_type: str, targets: PipelineTargets) -> dict[str, str]:
    return {} if has_local_storage(instance_type) else {"VolumeKmsKeyId": targets.data_key_arn}


def _vpc(targets: PipelineTargets) -> dict[str, list[str]]:
    return {"Subnets": list(targets.subnet_ids), "SecurityGroupIds": list(targets.security_group_ids)}


def _tags(spec: ModelSpec, targets: PipelineTargets) -> list[dict[str, str]]:
    tags = {**targets.tags, "model": spec.name}
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def _s3_prefix(uri: str) -> dict[str, str]:
    return {"S3DataType": "S3Prefix", "S3DataDistributionType": "FullyReplicated", "S3Uri.$": uri}


def _processing_input(name: str, source: dict[str, str]) -> dict[str, Any]:
    where = {"LocalPath": f"{_PROCESSING}/input/{name}", "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": {**source, **where}}


def _processing_output() -> dict[str, Any]:
    return {
        "OutputName": "evaluation",
        "S3Output": {
            "S3Uri.$": "States.Format('{}/evaluation/', $.run.folder)",
            "LocalPath": f"{_PROCESSING}/output",
            "S3UploadMode": "EndOfJob",
        },
    }
