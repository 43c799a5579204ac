"""What DescribeEndpoint says of a variant and of its capture of traffic."""

from datetime import datetime
from typing import Any

from rehearsal.aws import images
from rehearsal.aws.jobs.sagemaker import absent_removed


def variant_summary(entry: dict[str, Any], image: str, since: datetime, instances: int | None) -> dict[str, Any]:
    """A ProductionVariantSummary of a configuration's variant; `instances` where they are no longer the first ones."""
    count = entry.get("InitialInstanceCount") if instances is None else instances
    weight = 1.0 if entry.get("InitialVariantWeight") is None else float(entry["InitialVariantWeight"])
    serverless = entry.get("ServerlessConfig")
    return absent_removed(
        {
            "VariantName": entry["VariantName"],
            "DeployedImages": [_deployed(image, since)],
            "CurrentWeight": weight,
            "DesiredWeight": weight,
            "CurrentInstanceCount": count,
            "DesiredInstanceCount": count,
            "CurrentServerlessConfig": serverless,
            "DesiredServerlessConfig": serverless,
        }
    )


def _deployed(uri: str, since: datetime) -> dict[str, Any]:
    try:
        digest = images.resolve(uri).digest
    except images.ImageError:
        return {"SpecifiedImage": uri}
    repository = uri.partition("@")[0].rpartition(":")[0] or uri.partition("@")[0]
    return {"SpecifiedImage": uri, "ResolvedImage": f"{repository}@{digest}", "ResolutionTime": since}


def capture_summary(configuration: dict[str, Any] | None) -> dict[str, Any] | None:
    """A DataCaptureConfigSummary."""
    if not configuration:
        return None
    return {
        "EnableCapture": bool(configuration.get("EnableCapture", True)),
        "CaptureStatus": "Started",
        "CurrentSamplingPercentage": configuration["InitialSamplingPercentage"],
        "DestinationS3Uri": configuration["DestinationS3Uri"],
        "KmsKeyId": configuration.get("KmsKeyId") or "",
    }
