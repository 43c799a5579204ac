"""The first steps: the input with its defaults, the names of this run, and the images pinned to digests.

The program declares an image by its content tag; the digest is resolved once per execution, so that what trained a
model and what will serve it is on record whatever happens to tags.
"""

from models.spec import ModelSpec
from pipelines.states import ECR_ERRORS, State, States, task
from pipelines.targets import ImageTarget, PipelineTargets

EXECUTION = "$$.Execution.Name"


def begin(spec: ModelSpec, targets: PipelineTargets, *, next_state: str) -> States:
    """From the execution's input to `$.input`, `$.run` and `$.images`."""
    return {
        "Begin": {
            "Type": "Pass",
            "Comment": "What holds when the input leaves it out: all of the model's landing folder",
            "Result": {"prefix": f"{spec.name}/", "force": False},
            "ResultPath": "$.defaults",
            "Next": "NameRun",
        },
        "NameRun": _name_run(spec, targets),
        "ResolveTrainingImage": _resolve(targets.training_image, "$.resolved.training", "ResolveServingImage"),
        "ResolveServingImage": _resolve(targets.serving_image, "$.resolved.serving", "CheckImages"),
        "CheckImages": {
            "Type": "Choice",
            "Choices": [
                _missing("$.resolved.training.found[0]", "TrainingImageMissing"),
                _missing("$.resolved.serving.found[0]", "ServingImageMissing"),
            ],
            "Default": "PinImages",
        },
        "TrainingImageMissing": _image_missing(targets.training_image),
        "ServingImageMissing": _image_missing(targets.serving_image),
        "PinImages": {
            "Type": "Pass",
            "Parameters": {
                "training.$": "$.resolved.training.found[0]",
                "serving.$": "$.resolved.serving.found[0]",
            },
            "ResultPath": "$.images",
            "Next": next_state,
        },
    }


def image_uri(target: ImageTarget, image: str) -> str:
    """The expression for the image `training` or `serving` by digest."""
    return f"States.Format('{target.url}@{{}}', $.images.{image}.ImageDigest)"


def _name_run(spec: ModelSpec, targets: PipelineTargets) -> State:
    folder = f"runs/{spec.name}/{{}}"
    return {
        "Type": "Pass",
        "Parameters": {
            "input.$": "States.JsonMerge($.defaults, $$.Execution.Input, false)",
            "run": {
                "name.$": EXECUTION,
                "job.$": f"States.Format('{targets.job_prefix}-{{}}', States.Hash({EXECUTION}, 'MD5'))",
                "token.$": f"States.Hash({EXECUTION}, 'MD5')",
                "folder.$": f"States.Format('s3://{targets.artifacts_bucket}/{folder}', {EXECUTION})",
                "ingest_key.$": f"States.Format('{folder}/ingest.json', {EXECUTION})",
                "evaluation_key.$": f"States.Format('{folder}/evaluation/evaluation.json', {EXECUTION})",
                "proposal_key.$": f"States.Format('proposals/{spec.name}/{{}}.json', {EXECUTION})",
            },
        },
        "Next": "ResolveTrainingImage",
    }


def _resolve(target: ImageTarget, result_path: str, next_state: str) -> State:
    return task(
        "aws-sdk:ecr:batchGetImage",
        {"RepositoryName": target.repository, "ImageIds": [{"ImageTag": target.tag}]},
        step="ResolveImages",
        errors=ECR_ERRORS,
        timeout_s=60,
        # A tag that is not there is no error to ECR but an empty list.
        result={"found.$": "$.Images[*].ImageId"},
        result_path=result_path,
        next_state=next_state,
    )


def _missing(path: str, next_state: str) -> State:
    return {"Not": {"Variable": path, "IsPresent": True}, "Next": next_state}


def _image_missing(target: ImageTarget) -> State:
    return {
        "Type": "Fail",
        "Error": "ImageMissing",
        "Cause": f"The image {target.repository}:{target.tag} is not in ECR; build and push it from these sources",
    }
