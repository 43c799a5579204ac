"""What an endpoint configuration consists of: the variant, on instances or serverless, and the capture of traffic."""

import pulumi
import pulumi_aws as aws

from infra.platform_outputs import PlatformOutputs
from models.spec import ModelSpec

VARIANT = "main"
_STARTUP_S = 600
"""The container answers /ping once the model answered a warm-up row: seconds, with room for a slow download."""


def instance_range(spec: ModelSpec, platform: PlatformOutputs) -> tuple[int, int]:
    """Least and greatest number of instances: the model's, but never fewer than the stack's settings demand."""
    minimum = max(spec.serving.scaling.minimum, platform.settings.endpoint.minimum_instances)
    return minimum, max(minimum, spec.serving.scaling.maximum)


def is_autoscaled(spec: ModelSpec, platform: PlatformOutputs) -> bool:
    """Whether the number of instances follows the traffic."""
    minimum, maximum = instance_range(spec, platform)
    return platform.settings.endpoint.mode == "instance" and maximum > minimum


def variant(
    spec: ModelSpec, platform: PlatformOutputs, model_name: pulumi.Input[str], live: int = 0
) -> aws.sagemaker.EndpointConfigurationProductionVariantArgs:
    """The one variant, which takes all traffic. `live` is how many instances it has now, 0 for none or unknown."""
    if platform.settings.endpoint.mode == "serverless":
        return aws.sagemaker.EndpointConfigurationProductionVariantArgs(
            variant_name=VARIANT,
            model_name=model_name,
            serverless_config=aws.sagemaker.EndpointConfigurationProductionVariantServerlessConfigArgs(
                memory_size_in_mb=spec.serving.serverless.memory_mb,
                max_concurrency=spec.serving.serverless.max_concurrency,
            ),
        )
    minimum, maximum = instance_range(spec, platform)
    return aws.sagemaker.EndpointConfigurationProductionVariantArgs(
        variant_name=VARIANT,
        model_name=model_name,
        instance_type=spec.serving.instance_type,
        initial_instance_count=min(max(minimum, live), maximum),
        initial_variant_weight=1,
        container_startup_health_check_timeout_in_seconds=_STARTUP_S,
        model_data_download_timeout_in_seconds=_STARTUP_S,
    )


def data_capture(
    spec: ModelSpec, platform: PlatformOutputs
) -> aws.sagemaker.EndpointConfigurationDataCaptureConfigArgs | None:
    """Requests and answers into the capture bucket, for the monitor; None when the model captures nothing.

    SageMaker keeps bodies as they are sent and can leave no column out, so a model with a personal feature captures
    nothing this way; the container's own capture leaves such columns out (docs/observability.md).
    """
    if spec.monitor.capture_percent == 0 or any(column.pii for column in spec.feature_columns):
        return None
    return aws.sagemaker.EndpointConfigurationDataCaptureConfigArgs(
        enable_capture=True,
        initial_sampling_percentage=spec.monitor.capture_percent,
        destination_s3_uri=pulumi.Output.concat("s3://", platform.buckets["capture"].name, f"/{spec.name}"),
        kms_key_id=platform.keys.data_arn,
        capture_options=[
            aws.sagemaker.EndpointConfigurationDataCaptureConfigCaptureOptionArgs(capture_mode=mode)
            for mode in ("Input", "Output")
        ],
        # Stored as text and not as base64.
        capture_content_type_header=aws.sagemaker.EndpointConfigurationDataCaptureConfigCaptureContentTypeHeaderArgs(
            csv_content_types=["text/csv"], json_content_types=["application/json"]
        ),
    )
