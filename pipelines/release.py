"""Gate, register, sign and propose: what passed becomes a model package with its lineage, and a signed proposal.

What is signed is the sha256 of the release as text, and that very text is what is proposed (read by
`delivery.releases.proposals`). The proposal is a file and an event. A commit of it to `releases/<stack>.toml` is what
makes it live, never this.
"""

from typing import Any

from models.spec import ModelSpec
from pipelines.begin import image_uri
from pipelines.dataset import SNAPSHOT
from pipelines.states import EVENTS_ERRORS, KMS_ERRORS, S3_ERRORS, SAGEMAKER_ERRORS, State, States, task
from pipelines.targets import PipelineTargets
from pipelines.training import ARTEFACT

_EVALUATION = "$.evaluation.content"
RELEASE_PROPOSED = "Release proposed"
SIGNING_ALGORITHM = "ECDSA_SHA_256"


def release(spec: ModelSpec, targets: PipelineTargets) -> States:
    """From `$.evaluation` to a registered package and a proposed release, where the pipeline ends."""
    return {
        "Gate": {
            "Type": "Choice",
            "Choices": [{"Variable": f"{_EVALUATION}.passed", "BooleanEquals": True, "Next": "Register"}],
            "Default": "GateFailed",
        },
        "GateFailed": {"Type": "Fail", "Error": "GateFailed", "CausePath": f"{_EVALUATION}.reasons"},
        "Register": task(
            "aws-sdk:sagemaker:createModelPackage",
            package_parameters(spec, targets),
            step="Register",
            errors=SAGEMAKER_ERRORS,
            timeout_s=120,
            result={"arn.$": "$.ModelPackageArn"},
            result_path="$.package",
            next_state="DescribeRelease",
        ),
        "DescribeRelease": _describe_release(targets),
        "WriteRelease": {
            "Type": "Pass",
            "Comment": "The text that is signed, hashed and stored: nothing depends on how JSON is written",
            "Parameters": {"document.$": "States.JsonToString($.release)"},
            "ResultPath": "$.written",
            "Next": "SignRelease",
        },
        "SignRelease": _sign(targets),
        "ProposeRelease": _propose(targets),
        "AnnounceRelease": _announce(spec, targets),
        "Proposed": {"Type": "Succeed"},
    }


def package_parameters(spec: ModelSpec, targets: PipelineTargets) -> dict[str, Any]:
    """The request of `CreateModelPackage`."""
    return {
        "ModelPackageGroupName": targets.package_group,
        "ModelPackageDescription.$": f"States.Format('{spec.name} trained on snapshot {{}}', {SNAPSHOT})",
        "ModelApprovalStatus": "Approved",
        # Makes a retry after a lost answer register the same package, not a second one.
        "ClientToken.$": "$.run.token",
        "InferenceSpecification": {
            "Containers": [
                {
                    "Image.$": image_uri(targets.serving_image, "serving"),
                    "ModelDataUrl.$": ARTEFACT,
                    "Environment": {"MODEL_MANIFEST_SHA256.$": f"{_EVALUATION}.manifest_sha256"},
                }
            ],
            "SupportedContentTypes": ["application/json", "text/csv"],
            "SupportedResponseMIMETypes": ["application/json", "text/csv"],
            "SupportedRealtimeInferenceInstanceTypes": [spec.serving.instance_type],
        },
        "ModelMetrics": {
            "ModelQuality": {
                "Statistics": {
                    "ContentType": "application/json",
                    "S3Uri.$": "States.Format('{}/evaluation/evaluation.json', $.run.folder)",
                }
            }
        },
        "CustomerMetadataProperties": _lineage(spec, targets),
    }


def _lineage(spec: ModelSpec, targets: PipelineTargets) -> dict[str, str]:
    metrics = {f"metric_{metric}.$": _as_text(metric) for metric in sorted({gate.metric for gate in spec.gates})}
    return {
        "model": spec.name,
        "snapshot.$": SNAPSHOT,
        "commit.$": f"{_EVALUATION}.git_commit",
        "artefact_sha256.$": f"{_EVALUATION}.artefact_sha256",
        "manifest_sha256.$": f"{_EVALUATION}.manifest_sha256",
        "training_image.$": image_uri(targets.training_image, "training"),
        "serving_image.$": image_uri(targets.serving_image, "serving"),
        "training_job.$": "$.train.job",
        "execution.$": "$.run.name",
        **metrics,
    }


def _as_text(metric: str) -> str:
    return f"States.Format('{{}}', {_EVALUATION}.metrics.{metric})"


def _describe_release(targets: PipelineTargets) -> State:
    return {
        "Type": "Pass",
        "Comment": "Exactly the fields of models/release.py",
        "Parameters": {
            "package.$": "$.package.arn",
            "artefact.$": ARTEFACT,
            "artefact_sha256.$": f"{_EVALUATION}.artefact_sha256",
            "manifest_sha256.$": f"{_EVALUATION}.manifest_sha256",
            "image.$": image_uri(targets.serving_image, "serving"),
            "snapshot.$": SNAPSHOT,
            "commit.$": f"{_EVALUATION}.git_commit",
            "metrics.$": f"{_EVALUATION}.metrics",
        },
        "ResultPath": "$.release",
        "Next": "WriteRelease",
    }


def _sign(targets: PipelineTargets) -> State:
    return task(
        "aws-sdk:kms:sign",
        {
            "KeyId": f"alias/{targets.signing_key_alias}",
            # Base64 of hex digits: the same sha256 whether a binary parameter is taken as base64 or as text.
            "Message.$": "States.Base64Encode(States.Hash($.written.document, 'SHA-256'))",
            "MessageType": "RAW",
            "SigningAlgorithm": SIGNING_ALGORITHM,
        },
        step="SignRelease",
        errors=KMS_ERRORS,
        timeout_s=60,
        result={"signature.$": "$.Signature", "key.$": "$.KeyId"},
        result_path="$.signed",
        next_state="ProposeRelease",
    )


def _propose(targets: PipelineTargets) -> State:
    return task(
        "aws-sdk:s3:putObject",
        {
            "Bucket": targets.artifacts_bucket,
            "Key.$": "$.run.proposal_key",
            "ContentType": "application/json",
            "Body": {
                "document.$": "$.written.document",
                "signature.$": "$.signed.signature",
                "key.$": "$.signed.key",
                "algorithm": SIGNING_ALGORITHM,
            },
        },
        step="ProposeRelease",
        errors=S3_ERRORS,
        timeout_s=60,
        next_state="AnnounceRelease",
    )


def _announce(spec: ModelSpec, targets: PipelineTargets) -> State:
    detail = {
        "model": spec.name,
        "execution.$": "$.run.name",
        "proposal.$": f"States.Format('s3://{targets.artifacts_bucket}/{{}}', $.run.proposal_key)",
        "release.$": "$.release",
    }
    announce = task(
        "events:putEvents",
        {"Entries": [{"Source": targets.event_source, "DetailType": RELEASE_PROPOSED, "Detail": detail}]},
        step="ProposeRelease",
        errors=EVENTS_ERRORS,
        timeout_s=60,
        next_state="Proposed",
    )
    return {**announce, "OutputPath": "$.release"}
