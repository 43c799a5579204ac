"""The most that any role of a stack may ever do, whatever its own policy says: what its jobs do, on its own resources.

A deploy role can write any policy into the roles that it makes. The boundary is why that gains nobody anything: no
role under it reaches another stack's data, makes roles or keys, deletes any, or reads Pulumi's state. A job that needs
a right of a new kind needs it here first, from whoever may run `drivetrain bootstrap`; a test holds every declared
policy against it.
"""

from infra.bootstrap.reach import Reach
from infra.iam import Statement, pass_role, statement

_DATA_KEYS = ("GenerateDataKey", "GenerateDataKeyWithoutPlaintext")
_NO_RESOURCE = "the action knows no resource"


def boundary(reach: Reach) -> list[Statement]:
    """Everything a role of the stack may be given."""
    return [*_storage(reach), *_tables(reach), *_models(reach), *_operations(reach), _anywhere()]


def _storage(reach: Reach) -> list[Statement]:
    keys = reach.arn("kms", "key/*")
    for_services = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    return [
        statement(
            "Objects",
            ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"],
            [f"{reach.buckets}/*"],
        ),
        statement("Buckets", ["s3:GetBucketLocation", "s3:ListBucket"], [reach.buckets]),
        statement(
            "UseKeys",
            [f"kms:{each}" for each in ("Decrypt", "DescribeKey", "Encrypt", *_DATA_KEYS)],
            keys,
            reach.owned,
        ),
        statement("GrantKeys", ["kms:CreateGrant"], keys, {**for_services, **reach.owned}),
        statement("Sign", ["kms:DescribeKey", "kms:GetPublicKey", "kms:Sign", "kms:Verify"], [reach.signing_key_arn]),
    ]


def _tables(reach: Reach) -> list[Statement]:
    entries = ("catalog", f"database/{reach.database}", f"table/{reach.database}/*", f"connection/{reach.prefix}-*")
    calls = (
        "BatchGetPartition CreateTable DeleteTable GetConnection GetConnections GetDatabase GetPartition GetPartitions "
        "GetTable GetTables GetTableVersions UpdateTable"
    )
    runs = ("BatchStopJobRun", "GetJobRun", "GetJobRuns", "StartJobRun")
    queries = ("GetQueryExecution", "GetQueryResults", "GetWorkGroup", "StartQueryExecution", "StopQueryExecution")
    return [
        statement("Tables", [f"glue:{each}" for each in calls.split()], reach.arn("glue", *entries)),
        statement("GlueRuns", [f"glue:{each}" for each in runs], reach.arn("glue", f"job/{reach.prefix}-*")),
        statement("Queries", [f"athena:{each}" for each in queries], reach.arn("athena", f"workgroup/{reach.prefix}*")),
    ]


def _models(reach: Reach) -> list[Statement]:
    calls = (
        "AddTags CreateModelPackage CreateProcessingJob CreateTrainingJob DescribeEndpoint DescribeModelPackage "
        "DescribeModelPackageGroup DescribeProcessingJob DescribeTrainingJob InvokeEndpoint ListModelPackages ListTags "
        "StopProcessingJob StopTrainingJob UpdateEndpointWeightsAndCapacities UpdateModelPackage"
    )
    machines = reach.arn("states", f"*:{reach.prefix}-*")
    executions = ("DescribeExecution", "StartExecution", "StopExecution")
    pull = ("BatchCheckLayerAvailability", "BatchGetImage", "DescribeImages", "GetDownloadUrlForLayer")
    return [
        statement(
            "Models",
            [f"sagemaker:{each}" for each in calls.split()],
            reach.arn("sagemaker", f"*/{reach.prefix}-*"),
        ),
        pass_role("PassToJobs", [reach.role_arn("train"), reach.role_arn("evaluate")], "sagemaker.amazonaws.com"),
        statement("Executions", [f"states:{each}" for each in executions], machines),
        statement("Images", [f"ecr:{each}" for each in pull], reach.arn("ecr", f"repository/{reach.prefix}-*")),
    ]


def _operations(reach: Reach) -> list[Statement]:
    interfaces = ("network-interface/*", "security-group/*", "subnet/*")
    network = [f"ec2:{verb}NetworkInterface{end}" for verb in ("Create", "Delete") for end in ("", "Permission")]
    rules = ("PutRule", "PutTargets")
    logs = "AssociateKmsKey CreateLogGroup CreateLogStream DescribeLogStreams PutLogEvents"
    step_rules = reach.arn("events", "rule/StepFunctionsGetEvents*", f"rule/{reach.prefix}-*", "event-bus/default")
    return [
        statement("NetworkInterfaces", [*network, "ec2:CreateTags", "ec2:DeleteTags"], reach.arn("ec2", *interfaces)),
        statement("Logs", [f"logs:{each}" for each in logs.split()], reach.arn("logs", "log-group:*")),
        statement(
            "Events",
            [f"events:{each}" for each in ("DescribeRule", "InvokeApiDestination", "PutEvents", *rules)],
            [*step_rules, *reach.arn("events", f"api-destination/{reach.prefix}-*")],
        ),
        statement("Alarms", ["cloudwatch:DescribeAlarms"], reach.arn("cloudwatch", f"alarm:{reach.prefix}-*")),
        statement("Queues", ["sqs:SendMessage"], reach.arn("sqs", f"{reach.prefix}-*")),
        statement("Topics", ["sns:Publish"], reach.arn("sns", f"{reach.prefix}-*")),
    ]


def _anywhere() -> Statement:
    network = "DhcpOptions NetworkInterfaces RouteTables SecurityGroups Subnets VpcAttribute VpcEndpoints Vpcs"
    tracing = ("GetSamplingRules", "GetSamplingTargets", "PutTelemetryRecords", "PutTraceSegments")
    deliveries = [f"logs:{verb}LogDelivery" for verb in ("Create", "Delete", "Get", "Update")]
    return statement(
        "Anywhere",
        [
            *(f"ec2:Describe{each}" for each in network.split()),
            *(f"xray:{each}" for each in tracing),
            *deliveries,
            "cloudwatch:PutMetricData",
            "ecr:GetAuthorizationToken",
            "glue:GetSecurityConfiguration",
            "lakeformation:GetDataAccess",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "sagemaker:ListTags",
        ],
        ["*"],
        any_resource_because=_NO_RESOURCE,
    )
