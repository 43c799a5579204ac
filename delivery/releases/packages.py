"""Model packages in the SageMaker registry: read with their lineage, and registered again in another account."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient

# What a package is made with; everything else that DescribeModelPackage answers is SageMaker's own.
_CARRIED = (
    "ModelPackageDescription",
    "ModelApprovalStatus",
    "Domain",
    "Task",
    "ModelCard",
    "DriftCheckBaselines",
    "SkipModelValidation",
)
_MANIFEST = "MODEL_MANIFEST_SHA256"


@dataclass(frozen=True, kw_only=True)
class Package:
    """A registered model version."""

    arn: str
    described: Mapping[str, Any]

    @property
    def approval(self) -> str:
        """`Approved`, `Rejected` or `PendingManualApproval`."""
        return str(self.described.get("ModelApprovalStatus", ""))

    @property
    def lineage(self) -> dict[str, str]:
        """What the pipeline noted of how the model came about."""
        return dict(self.described.get("CustomerMetadataProperties") or {})

    @property
    def group(self) -> str:
        """The group it is a version of."""
        return str(self.described.get("ModelPackageGroupName", ""))

    @property
    def container(self) -> dict[str, Any]:
        """Image, artefact and environment."""
        containers = _at(self.described, "InferenceSpecification", "Containers")
        return dict(containers[0]) if containers else {}

    @property
    def manifest_sha256(self) -> str:
        """The manifest that its container asks for."""
        return str(_at(self.container, "Environment", _MANIFEST) or "")

    @property
    def evaluation(self) -> str:
        """Where its evaluation lies, empty when it names none."""
        return str(_at(self.described, "ModelMetrics", "ModelQuality", "Statistics", "S3Uri") or "")


def find_package(sagemaker: "SageMakerClient", arn: str) -> Package | None:
    """The package of that ARN, None when the registry has none."""
    try:
        described = sagemaker.describe_model_package(ModelPackageName=arn)
    except ClientError as error:
        # SageMaker has no code of its own for what is not there.
        if error.response.get("Error", {}).get("Code") in ("ValidationException", "ResourceNotFound"):
            return None
        raise
    return Package(arn=arn, described=cast("Mapping[str, Any]", described))


def find_promoted(sagemaker: "SageMakerClient", group: str, source_arn: str) -> Package | None:
    """The package of the group that was promoted from `source_arn`, None when there is none."""
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending"
    )
    for summary in (summary for page in pages for summary in page["ModelPackageSummaryList"]):
        package = find_package(sagemaker, summary["ModelPackageArn"])
        if package is not None and package.lineage.get("source_package") == source_arn:
            return package
    return None


def register_promoted(
    sagemaker: "SageMakerClient", source: Package, group: str, *, image: str, artefact: str, evaluation: str
) -> str:
    """Register `source` in the group of this account, with its lineage and where it came from; the ARN."""
    described = source.described
    inference = dict(described["InferenceSpecification"])
    container = {
        name: value
        for name, value in source.container.items()
        if name in ("Environment", "Framework", "FrameworkVersion")
    }
    inference["Containers"] = [{**container, "Image": image, "ModelDataUrl": artefact}]
    metrics = {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": evaluation}}}
    request: dict[str, Any] = {
        **{name: described[name] for name in _CARRIED if described.get(name)},
        "ModelPackageGroupName": group,
        # A second try after an answer that was lost registers no second version.
        "ClientToken": hashlib.sha256(f"{source.arn} {group}".encode()).hexdigest()[:36],
        "InferenceSpecification": inference,
        "ModelMetrics": metrics,
        "CustomerMetadataProperties": {
            **source.lineage,
            "source_package": source.arn,
            "source_artefact": str(source.container.get("ModelDataUrl", "")),
            "source_image": str(source.container.get("Image", "")),
        },
    }
    return sagemaker.create_model_package(**request)["ModelPackageArn"]


def _at(document: Mapping[str, Any], *keys: str) -> Any:
    """The value below the keys, None where one of them is missing."""
    found: Any = document
    for key in keys:
        found = found.get(key) if hasattr(found, "get") else None
    return found
