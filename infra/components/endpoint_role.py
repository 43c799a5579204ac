"""What a model's containers may do on SageMaker hosting: fetch their model and image, log, capture traffic.

A Batch Transform job has no role of its own: it runs the model with this one, reads its parts and writes its answers.
"""

from infra.components.asynchronous import async_statements
from infra.components.endpoint_alarms import rollback_alarm_arns
from infra.components.model_role import (
    data_key,
    job_logs,
    job_metrics,
    listing,
    network_interfaces,
    objects,
    pull_image,
    volume_key,
)
from infra.iam import Statement, statement
from infra.platform_outputs import PlatformOutputs
from models.spec import ModelSpec

TRANSFORM_LOGS = "/aws/sagemaker/TransformJobs"


def endpoint_statements(spec: ModelSpec, platform: PlatformOutputs) -> list[Statement]:
    """The statements of the endpoint's role."""
    artifacts, capture = platform.buckets["artifacts"], platform.buckets["capture"]
    return [
        objects("Artefact", artifacts, f"models/{spec.name}/", ["s3:GetObject"]),
        objects("BatchInput", artifacts, f"batch-input/{spec.name}/", ["s3:GetObject"]),
        objects("BatchOutput", artifacts, f"batch-output/{spec.name}/", ["s3:AbortMultipartUpload", "s3:PutObject"]),
        listing("ListArtefacts", artifacts, [f"models/{spec.name}/", f"batch-input/{spec.name}/"]),
        objects("Capture", capture, f"{spec.name}/", ["s3:PutObject"]),
        *async_statements(spec, platform),
        *pull_image(platform, "serving"),
        *network_interfaces(platform),
        data_key(platform),
        volume_key(platform),
        job_logs(platform, f"/aws/sagemaker/Endpoints/{platform.names.endpoint(spec.name)}"),
        job_logs(platform, TRANSFORM_LOGS, sid="TransformLogs"),
        job_metrics("/aws/sagemaker/Endpoints"),
        # SageMaker looks at the rollback alarms as the role of the model.
        statement("RollbackAlarms", ["cloudwatch:DescribeAlarms"], [rollback_alarm_arns(platform.names, spec.name)]),
    ]
