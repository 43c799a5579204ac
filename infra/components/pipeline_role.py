"""What the state machine itself may do: start and watch the model's jobs, read results, register, propose.

`.sync` tasks are told of the end of a SageMaker job by EventBridge rules that Step Functions manages, and poll Glue.
https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
"""

from collections.abc import Sequence

import pulumi

from infra.components.model_role import objects
from infra.iam import Conditions, Statement, pass_role, statement
from infra.platform_outputs import PlatformOutputs
from models.spec import ModelSpec
from pipelines.jobs import has_local_storage, job_prefix
from pipelines.release import SIGNING_ALGORITHM

_MANAGED_RULES = (
    "StepFunctionsGetEventsForSageMakerTrainingJobsRule",
    "StepFunctionsGetEventsForSageMakerProcessingJobsRule",
)


def pipeline_statements(
    spec: ModelSpec, platform: PlatformOutputs, job_role_arns: Sequence[pulumi.Input[str]]
) -> list[Statement]:
    """The statements of the pipeline's role; `job_role_arns` are what it hands to SageMaker."""
    return [
        *_images(platform),
        *_glue(spec, platform),
        *_sagemaker(spec, platform, job_role_arns),
        *_registry(spec, platform),
        *_results(spec, platform),
        *_keys(spec, platform),
        _signing(platform),
        *_observability(),
    ]


def _images(platform: PlatformOutputs) -> list[Statement]:
    repositories = [platform.repositories[image].arn for image in ("training", "serving")]
    return [statement("ResolveImages", ["ecr:BatchGetImage"], repositories)]


def _glue(spec: ModelSpec, platform: PlatformOutputs) -> list[Statement]:
    names = platform.names
    jobs = [
        f"arn:aws:glue:{platform.region}:{platform.account_id}:job/{name}"
        for name in (names.glue_job(spec.name, "ingest"), names.glue_job(spec.name, "validate"))
    ]
    return [
        statement("GlueJobs", ["glue:BatchStopJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:StartJobRun"], jobs)
    ]


def _sagemaker(
    spec: ModelSpec, platform: PlatformOutputs, job_role_arns: Sequence[pulumi.Input[str]]
) -> list[Statement]:
    sagemaker = f"arn:aws:sagemaker:{platform.region}:{platform.account_id}"
    prefix = job_prefix(platform.names.job_prefix(spec.name))
    training, processing = f"{sagemaker}:training-job/{prefix}-*", f"{sagemaker}:processing-job/{prefix}-*"
    rules = [f"arn:aws:events:{platform.region}:{platform.account_id}:rule/{rule}" for rule in _MANAGED_RULES]
    return [
        statement("Train", ["sagemaker:CreateTrainingJob"], [training], _inside(spec.training.instance_type, platform)),
        statement("TrainingJobs", ["sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob"], [training]),
        statement("Process", ["sagemaker:CreateProcessingJob"], [processing], _inside(None, platform)),
        statement("ProcessingJobs", ["sagemaker:DescribeProcessingJob", "sagemaker:StopProcessingJob"], [processing]),
        statement("TagJobs", ["sagemaker:AddTags"], [training, processing]),
        pass_role("HandRolesToJobs", job_role_arns, "sagemaker.amazonaws.com"),
        statement("JobEvents", ["events:DescribeRule", "events:PutRule", "events:PutTargets"], rules),
        statement(
            "FindNetwork",
            ["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"],
            ["*"],
            any_resource_because="EC2's Describe actions know no resources",
        ),
    ]


def _inside(instance_type: str | None, platform: PlatformOutputs) -> Conditions:
    """A job runs in the stack's own network, cut off from any other, and encrypts with the stack's own key.

    A type with disks of its own takes no volume key.
    https://docs.aws.amazon.com/sagemaker/latest/dg/security_iam_id-based-policy-examples.html
    """
    network, key = platform.network, platform.keys.data_arn
    keys = ["OutputKmsKey", *([] if instance_type and has_local_storage(instance_type) else ["VolumeKmsKey"])]
    return {
        "ForAllValues:StringEquals": {
            "sagemaker:VpcSubnets": list(network.subnet_ids),
            "sagemaker:VpcSecurityGroupIds": [network.job_security_group_id],
        },
        # ForAllValues holds for a request that has no such value at all
        "Null": {"sagemaker:VpcSubnets": "false", "sagemaker:VpcSecurityGroupIds": "false"},
        "ArnEquals": {f"sagemaker:{each}": key for each in keys},
        "Bool": {"sagemaker:NetworkIsolation": "true"},
    }


def _registry(spec: ModelSpec, platform: PlatformOutputs) -> list[Statement]:
    sagemaker = f"arn:aws:sagemaker:{platform.region}:{platform.account_id}"
    group = platform.names.package_group(spec.name)
    return [
        statement(
            "Register",
            ["sagemaker:AddTags", "sagemaker:CreateModelPackage", "sagemaker:DescribeModelPackage"],
            [f"{sagemaker}:model-package-group/{group}", f"{sagemaker}:model-package/{group}/*"],
        )
    ]


def _results(spec: ModelSpec, platform: PlatformOutputs) -> list[Statement]:
    artifacts = platform.buckets["artifacts"]
    bus = f"arn:aws:events:{platform.region}:{platform.account_id}:event-bus/default"
    return [
        objects("Results", artifacts, f"runs/{spec.name}/", ["s3:GetObject"]),
        # SageMaker checks with the caller that the artefact of a package is there.
        objects("Artefacts", artifacts, f"models/{spec.name}/", ["s3:GetObject"]),
        objects("Proposals", artifacts, f"proposals/{spec.name}/", ["s3:PutObject"]),
        statement(
            "Announce", ["events:PutEvents"], [bus], {"StringEquals": {"events:source": platform.names.event_source}}
        ),
    ]


def _keys(spec: ModelSpec, platform: PlatformOutputs) -> list[Statement]:
    key, region, account = platform.keys.data_arn, platform.region, platform.account_id
    machine = platform.names.state_machine_arn(spec.name)
    return [
        statement(
            "ObjectKey",
            ["kms:Decrypt", "kms:GenerateDataKey"],
            [key],
            {"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}},
        ),
        # The volumes of a job are encrypted through a grant that whoever creates the job gives to SageMaker.
        statement("VolumeKey", ["kms:CreateGrant"], [key], {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
        statement("DescribeKey", ["kms:DescribeKey"], [key]),
        statement(
            "ExecutionKey",
            ["kms:Decrypt", "kms:GenerateDataKey"],
            [key],
            {"StringEquals": {"kms:EncryptionContext:aws:states:stateMachineArn": machine}},
        ),
        statement(
            "LogKey",
            ["kms:GenerateDataKey"],
            [key],
            {"StringEquals": {"kms:EncryptionContext:SourceArn": f"arn:aws:logs:{region}:{account}:*"}},
        ),
    ]


def _signing(platform: PlatformOutputs) -> Statement:
    """The bootstrap makes the key, so that it is known here by its alias and not by its ARN."""
    return statement(
        "SignRelease",
        ["kms:Sign"],
        [f"arn:aws:kms:{platform.region}:{platform.account_id}:key/*"],
        {
            "StringEquals": {
                "kms:RequestAlias": f"alias/{platform.names.signing_key_alias}",
                "kms:SigningAlgorithm": SIGNING_ALGORITHM,
            }
        },
    )


def _observability() -> list[Statement]:
    return [
        statement(
            "DeliverLog",
            [
                "logs:CreateLogDelivery",
                "logs:DeleteLogDelivery",
                "logs:DescribeLogGroups",
                "logs:DescribeResourcePolicies",
                "logs:GetLogDelivery",
                "logs:ListLogDeliveries",
                "logs:PutResourcePolicy",
                "logs:UpdateLogDelivery",
            ],
            ["*"],
            any_resource_because="log deliveries know no resources",
        ),
        statement(
            "Trace",
            [
                "xray:GetSamplingRules",
                "xray:GetSamplingTargets",
                "xray:PutTelemetryRecords",
                "xray:PutTraceSegments",
            ],
            ["*"],
            any_resource_because="X-Ray segments are no resources",
        ),
    ]
