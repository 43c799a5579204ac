"""What a preview reads: how everything of the stack is set up, and nothing of what it holds.

`pulumi preview` of a self-managed backend takes no lock and writes no history, so that all it needs of the state is
to read it; a refresh asks AWS for every resource besides. No rows, no artefacts, no logs, no secrets: `s3:GetObject`
is for the state and for the program's own files below `glue/`.
"""

from collections.abc import Callable, Mapping

from infra.bootstrap.reach import Reach
from infra.iam import Statement, statement

_NO_RESOURCE = "the action knows no resource"
_STATE = "drivetrain"
"""The Pulumi project of the platform, under which the backend files its stacks."""


def state_folders(reach: Reach, kinds: tuple[str, ...]) -> list[str]:
    """Where the backend keeps the stack (and its models' stacks, `dev-auto-mpg`): `.pulumi/stacks/drivetrain/dev*`."""
    bucket, stack = f"arn:aws:s3:::{reach.names.state_bucket}", reach.stack_pattern
    names = [f"{_STATE}/{stack}"] if stack.endswith("*") else [f"{_STATE}/{stack}{end}*" for end in (".", "-", "/")]
    return [f"{bucket}/.pulumi/{kind}/{name}" for kind in kinds for name in names]


def _state(reach: Reach) -> list[Statement]:
    """Read the stack's state, and the secrets in it."""
    bucket = f"arn:aws:s3:::{reach.names.state_bucket}"
    kinds = ("stacks", "locks/organization", "history", "backups")
    return [
        # Without s3:ListBucket S3 answers 403 for what is not there, which the backend takes for an error.
        statement("StateNames", ["s3:ListBucket", "s3:GetBucketLocation"], [bucket]),
        statement("State", ["s3:GetObject"], [f"{bucket}/.pulumi/meta.yaml", *state_folders(reach, kinds)]),
        statement("StateKey", ["kms:Decrypt", "kms:DescribeKey"], [reach.state_key_arn]),
    ]


def holdings(reach: Reach) -> list[Statement]:
    """Read the stack's state, and how what holds data and identity is set up."""
    return [*_state(reach), *_storage(reach), *_identity(reach), *_data(reach)]


def services(reach: Reach) -> list[Statement]:
    """Read how everything else is set up."""
    return [*_serving(reach), *_operations(reach), _anywhere()]


def _storage(reach: Reach) -> list[Statement]:
    configurations = [
        "s3:GetAccelerateConfiguration",
        "s3:GetEncryptionConfiguration",
        "s3:GetLifecycleConfiguration",
        "s3:GetReplicationConfiguration",
        "s3:ListBucket",
        "s3:ListTagsForResource",
    ]
    of_bucket = (
        "Acl CORS Location Logging Notification ObjectLockConfiguration OwnershipControls Policy PolicyStatus "
        "PublicAccessBlock RequestPayment Tagging Versioning Website"
    )
    code = f"{reach.bucket('artifacts')}/glue/*"
    return [
        statement(
            "Buckets", [*configurations, *(f"s3:GetBucket{each}" for each in of_bucket.split())], [reach.buckets]
        ),
        statement("Code", ["s3:GetObject", "s3:GetObjectTagging"], [code]),
        statement(
            "CodeKey",
            ["kms:Decrypt"],
            reach.arn("kms", "key/*"),
            {**reach.owned, "StringEquals": {"kms:ViaService": f"s3.{reach.names.region}.amazonaws.com"}},
        ),
    ]


def _identity(reach: Reach) -> list[Statement]:
    return [
        statement(
            "Roles",
            [
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListAttachedRolePolicies",
                "iam:ListInstanceProfilesForRole",
                "iam:ListRolePolicies",
                "iam:ListRoleTags",
            ],
            [reach.role_arns],
        ),
        statement(
            "Keys",
            [
                "kms:DescribeKey",
                "kms:GetKeyPolicy",
                "kms:GetKeyRotationStatus",
                "kms:GetPublicKey",
                "kms:ListResourceTags",
            ],
            reach.arn("kms", "key/*"),
        ),
        # What a secret is called and by which key it is kept, not what it says.
        statement(
            "SecretsSetup",
            ["secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy"],
            reach.arn("secretsmanager", f"secret:{reach.prefix}-*", f"secret:{reach.prefix}/*"),
        ),
    ]


def _data(reach: Reach) -> list[Statement]:
    catalog = ["catalog", f"database/{reach.database}", f"connection/{reach.prefix}-*"]
    return [
        statement(
            "Catalog",
            ["glue:GetConnection", "glue:GetDataCatalogEncryptionSettings", "glue:GetDatabase", "glue:GetTags"],
            reach.arn("glue", *catalog),
        ),
        statement("GlueJobs", ["glue:GetJob", "glue:GetTags"], reach.arn("glue", f"job/{reach.prefix}-*")),
        statement(
            "Queries",
            ["athena:GetNamedQuery", "athena:GetWorkGroup", "athena:ListTagsForResource"],
            reach.arn("athena", f"workgroup/{reach.prefix}*"),
        ),
        statement(
            "Images",
            [
                "ecr:BatchGetImage",
                "ecr:DescribeImages",
                "ecr:DescribeRepositories",
                "ecr:GetLifecyclePolicy",
                "ecr:GetRepositoryPolicy",
                "ecr:ListImages",
                "ecr:ListTagsForResource",
            ],
            reach.arn("ecr", f"repository/{reach.prefix}-*"),
        ),
    ]


def _serving(reach: Reach) -> list[Statement]:
    kinds = ("endpoint", "endpoint-config", "model", "model-package-group", "model-package")
    return [
        statement(
            "Serving",
            [
                "sagemaker:DescribeEndpoint",
                "sagemaker:DescribeEndpointConfig",
                "sagemaker:DescribeModel",
                "sagemaker:DescribeModelPackage",
                "sagemaker:DescribeModelPackageGroup",
                "sagemaker:GetModelPackageGroupPolicy",
                "sagemaker:ListTags",
            ],
            reach.arn("sagemaker", *(f"{kind}/{reach.prefix}-*" for kind in kinds)),
        ),
        statement(
            "Pipelines",
            ["states:DescribeStateMachine", "states:ListStateMachineVersions", "states:ListTagsForResource"],
            reach.arn("states", f"stateMachine:{reach.prefix}-*"),
        ),
    ]


def _operations(reach: Reach) -> list[Statement]:
    names = f"{reach.prefix}-*"
    budgets = f"arn:aws:budgets::{reach.names.account_id}:budget/{names}"
    dashboards = f"arn:aws:cloudwatch::{reach.names.account_id}:dashboard/{reach.prefix}*"
    return [
        statement(
            "Alarms",
            ["cloudwatch:DescribeAlarmHistory", "cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"],
            reach.arn("cloudwatch", "alarm:*"),
        ),
        statement("Dashboards", ["cloudwatch:GetDashboard"], [dashboards]),
        statement("Budgets", ["budgets:ListTagsForResource", "budgets:ViewBudget"], [budgets]),
        statement(
            "Events",
            [
                "events:DescribeApiDestination",
                "events:DescribeConnection",
                "events:DescribeRule",
                "events:ListTagsForResource",
                "events:ListTargetsByRule",
            ],
            reach.arn("events", f"rule/{names}", f"connection/{names}", f"api-destination/{names}"),
        ),
        statement(
            "Queues", ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListQueueTags"], reach.arn("sqs", names)
        ),
        statement(
            "Topics",
            [
                "sns:GetTopicAttributes",
                "sns:ListSubscriptionsByTopic",
                "sns:ListTagsForResource",
            ],
            reach.arn("sns", names),
        ),
        statement("LogGroups", ["logs:ListTagsForResource"], reach.arn("logs", "log-group:*")),
        statement(
            "Scaling",
            ["application-autoscaling:ListTagsForResource"],
            reach.arn("application-autoscaling", "scalable-target/*"),
        ),
        statement("Vpc", ["ec2:DescribeVpcAttribute"], reach.arn("ec2", "vpc/*")),
    ]


def _anywhere() -> Statement:
    network = (
        "AvailabilityZones FlowLogs ManagedPrefixLists NetworkAcls NetworkInterfaces PrefixLists RouteTables "
        "SecurityGroupRules SecurityGroups Subnets Tags VpcEndpointServices VpcEndpoints Vpcs"
    )
    return statement(
        "Anywhere",
        [
            *(f"ec2:Describe{each}" for each in network.split()),
            "application-autoscaling:DescribeScalableTargets",
            "application-autoscaling:DescribeScalingPolicies",
            "application-autoscaling:DescribeScheduledActions",
            "glue:GetSecurityConfiguration",
            "kms:ListAliases",
            "lakeformation:DescribeResource",
            "lakeformation:GetDataLakeSettings",
            "lakeformation:ListPermissions",
            "logs:DescribeLogGroups",
            "logs:DescribeResourcePolicies",
            "sns:GetSubscriptionAttributes",
        ],
        ["*"],
        any_resource_because=_NO_RESOURCE,
    )


READING: Mapping[str, Callable[[Reach], list[Statement]]] = {"read-holdings": holdings, "read-services": services}
"""The managed policies that preview and deploy role have in common, by name."""
