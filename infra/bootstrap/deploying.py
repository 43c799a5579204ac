"""What applying a stack takes: the table of the deploy role's rights, one function per managed policy.

Each right is as narrow as AWS lets it be: by name where the program names a resource, by the stack's own tag where AWS
does, by `*` only where an action knows neither. What may be deleted depends on `protect`: where data and identity stay,
no right here removes a key, a bucket that holds something, or a version of an object. Reading is `reading.py`.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from collections.abc import Callable, Mapping

from infra.bootstrap.network_rights import network
from infra.bootstrap.operations_rights import operations
from infra.bootstrap.reach import Reach
from infra.bootstrap.reading import state_folders
from infra.iam import Statement, pass_role, statement


def state(reach: Reach) -> list[Statement]:
    """Write the stack's state, encrypt its secrets, sign what is released and built."""
    kinds = ("stacks", "locks/organization", "history", "backups")
    folders = state_folders(reach, kinds)
    return [
        statement("WriteState", ["s3:DeleteObject", "s3:PutObject"], folders),
        statement("EncryptState", ["kms:Encrypt", "kms:GenerateDataKey"], [reach.state_key_arn]),
        statement("Sign", ["kms:DescribeKey", "kms:GetPublicKey", "kms:Sign", "kms:Verify"], [reach.signing_key_arn]),
    ]


def storage(reach: Reach) -> list[Statement]:
    """Buckets and the objects that deploying puts there; keys and their aliases."""
    settings = ["Logging", "Notification", "OwnershipControls", "Policy", "PublicAccessBlock", "Tagging", "Versioning"]
    more = ["s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration", "s3:TagResource", "s3:UntagResource"]
    made = ["s3:CreateBucket", "s3:DeleteBucket", "s3:DeleteBucketPolicy"]
    artifacts = reach.bucket("artifacts")
    curated = f"{reach.prefix.replace('-', '_')}*_curated"
    objects = [f"{artifacts}/{folder}/*" for folder in ("glue", "models", "proposals", "runs", "deployments")]
    emptied = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
    statements = [
        statement("MakeBuckets", [*made, *(f"s3:PutBucket{each}" for each in settings), *more], [reach.buckets]),
        # A model's artefact comes and goes with its release; the program's own files with every change of them.
        statement(
            "PutObjects", ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:PutObjectTagging"], objects
        ),
        statement("ReplaceCode", ["s3:DeleteObject"], [f"{artifacts}/glue/*"]),
        # The acceptance test compares the curated rows with what the model was trained on.
        statement("CuratedRows", ["s3:GetObject"], [f"{reach.bucket('lake')}/warehouse/{curated}/*"]),
        statement("LandSamples", ["s3:GetObject", "s3:PutObject"], [f"{reach.bucket('landing')}/*"]),
        *_keys(reach),
    ]
    if reach.protect:
        return statements
    return [
        *statements,
        statement("EmptyBuckets", emptied, [f"{reach.buckets}/*"]),
        statement("ListVersions", ["s3:ListBucketVersions"], [reach.buckets]),
        statement("DeleteKeys", ["kms:ScheduleKeyDeletion"], reach.arn("kms", "key/*"), reach.owned),
    ]


def _keys(reach: Reach) -> list[Statement]:
    keys = reach.arn("kms", "key/*")
    changes = ["EnableKey", "EnableKeyRotation", "PutKeyPolicy", "TagResource", "UntagResource", "UpdateKeyDescription"]
    uses = ["Decrypt", "Encrypt", "GenerateDataKey"]
    aliases = reach.arn("kms", *(f"alias/{reach.prefix}-{end}" for end in ("*data", "*logs", "*messages")))
    through = [
        f"{each}.{reach.names.region}.amazonaws.com" for each in ("s3", "sqs", "sns", "secretsmanager", "states")
    ]
    return [
        statement(
            "MakeKeys",
            ["kms:CreateKey"],
            ["*"],
            reach.requested,
            any_resource_because="a key has no ARN before it is made; it must be tagged as the stack's own",
        ),
        statement("TagNewKeys", ["kms:TagResource"], keys, reach.claimed),
        statement("ChangeKeys", [f"kms:{each}" for each in changes], keys, reach.owned),
        statement("NameKeys", ["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"], aliases),
        statement("NamedKeys", ["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"], keys, reach.owned),
        statement(
            "UseKeys",
            [f"kms:{each}" for each in uses],
            keys,
            {**reach.owned, "StringEquals": {"kms:ViaService": through}},
        ),
        # SageMaker, Glue and others keep the grant for as long as the resource lives.
        statement(
            "GrantKeys",
            ["kms:CreateGrant"],
            keys,
            {**reach.owned, "Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
        *_bootstraps_keys(reach),
    ]


def _bootstraps_keys(reach: Reach) -> list[Statement]:
    """Deny taking over the bootstrap's keys, by their tag and by ARN: also what another statement would allow."""
    takeover = ("DisableKey", "PutKeyPolicy", "ScheduleKeyDeletion", "TagResource", "UntagResource")
    actions = tuple(f"kms:{each}" for each in takeover)
    return [
        Statement(
            sid="KeepBootstrapsKeys",
            actions=actions,
            resources=tuple(reach.arn("kms", "key/*")),
            conditions={"StringEquals": {"aws:ResourceTag/stack": "bootstrap"}},
            effect="Deny",
        ),
        Statement(
            sid="KeepOwnBootstrapsKeys",
            actions=actions,
            resources=(reach.state_key_arn, reach.signing_key_arn),
            effect="Deny",
        ),
    ]


def identity(reach: Reach) -> list[Statement]:
    """Roles of the stack's own path, under its boundary and never without; each handed to the one service it is for."""
    roles = [reach.role_arns]
    bounded = {"StringEquals": {"iam:PermissionsBoundary": reach.names.boundary_arn}}
    kept = ["iam:DeleteRole", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole"]
    linked = f"arn:aws:iam::{reach.names.account_id}:role/aws-service-role"
    services = {
        "sagemaker.application-autoscaling.amazonaws.com": "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
        "apidestinations.events.amazonaws.com": "AWSServiceRoleForAmazonEventBridgeApiDestinations",
    }
    return [
        statement("MakeRoles", ["iam:CreateRole", "iam:PutRolePermissionsBoundary"], roles, bounded),
        statement("GrantToRoles", ["iam:DeleteRolePolicy", "iam:PutRolePolicy"], roles, bounded),
        statement("ChangeRoles", kept, roles),
        *(
            pass_role(f"Pass{job.title().replace('-', '')}", [reach.role_arn(job)], service)
            for job, service in HANDED_TO.items()
        ),
        statement(
            "ServicesOwnRoles",
            ["iam:CreateServiceLinkedRole"],
            [f"{linked}/{service}/{role}" for service, role in services.items()],
            {"StringEquals": {"iam:AWSServiceName": list(services)}},
        ),
    ]


HANDED_TO: Mapping[str, str] = {
    "endpoint": "sagemaker.amazonaws.com",
    "events": "events.amazonaws.com",
    "flow-log": "vpc-flow-logs.amazonaws.com",
    "ingest": "glue.amazonaws.com",
    "lake-location": "lakeformation.amazonaws.com",
    "pipeline": "states.amazonaws.com",
    "validate": "glue.amazonaws.com",
}
"""The jobs whose roles the program hands to a service. Those of train and evaluate are the pipeline's to hand on."""


def data(reach: Reach) -> list[Statement]:
    """Catalog, Lake Formation, queries and images."""
    inside = (f"{kind}/{reach.database}/*" for kind in ("table", "userDefinedFunction"))
    databases = reach.arn("glue", "catalog", f"database/{reach.database}", *inside)
    connections = reach.arn("glue", "catalog", f"connection/{reach.prefix}-*")
    jobs = reach.arn("glue", f"job/{reach.prefix}-*")
    connection_calls = ["glue:CreateConnection", "glue:DeleteConnection", "glue:UpdateConnection"]
    workgroup = ["CreateNamedQuery", "DeleteNamedQuery", "CreateWorkGroup", "DeleteWorkGroup", "UpdateWorkGroup"]
    tags = ["TagResource", "UntagResource"]
    repositories = reach.arn("ecr", f"repository/{reach.prefix}-*")
    images = (
        "BatchCheckLayerAvailability BatchDeleteImage CompleteLayerUpload CreateRepository DeleteLifecyclePolicy "
        "DeleteRepository DescribeImageScanFindings GetDownloadUrlForLayer InitiateLayerUpload PutImage "
        "PutImageScanningConfiguration PutImageTagMutability PutLifecyclePolicy TagResource UntagResource "
        "UploadLayerPart"
    )
    curated = f"{reach.prefix.replace('-', '_')}*_curated"
    catalog = statement("EncryptCatalog", ["glue:PutDataCatalogEncryptionSettings"], reach.arn("glue", "catalog"))
    return [
        # The acceptance test looks at the newest version of a curated table.
        statement(
            "CuratedTables",
            ["glue:GetTable"],
            reach.arn("glue", "catalog", f"database/{curated}", f"table/{curated}/*"),
        ),
        statement("Databases", ["glue:CreateDatabase", "glue:DeleteDatabase", "glue:UpdateDatabase"], databases),
        statement("Connections", [*connection_calls, *(f"glue:{each}" for each in tags)], connections),
        statement(
            "Jobs",
            ["glue:CreateJob", "glue:DeleteJob", "glue:UpdateJob", *(f"glue:{each}" for each in tags)],
            jobs,
        ),
        # An account has one catalog and one list of administrators: dev's to set, never a pull request's.
        *([] if reach.of_pull_requests else [catalog]),
        _lake_administration(reach),
        statement(
            "Workgroups",
            [f"athena:{each}" for each in (*workgroup, *tags)],
            reach.arn("athena", f"workgroup/{reach.prefix}*"),
        ),
        statement("Repositories", [f"ecr:{each}" for each in images.split()], repositories),
    ]


def _lake_administration(reach: Reach) -> Statement:
    """Register and grant. The role of pull requests is an administrator of the lake too, as granting takes one."""
    administrators = [] if reach.of_pull_requests else ["lakeformation:PutDataLakeSettings"]
    return statement(
        "LakeAdministration",
        [
            "ecr:GetAuthorizationToken",
            "glue:CreateSecurityConfiguration",
            "glue:DeleteSecurityConfiguration",
            "lakeformation:DeregisterResource",
            "lakeformation:GetDataAccess",
            "lakeformation:GrantPermissions",
            *administrators,
            "lakeformation:RegisterResource",
            "lakeformation:RevokePermissions",
            "lakeformation:UpdateResource",
        ],
        ["*"],
        any_resource_because="Lake Formation, registry tokens and security configurations know no resource",
    )


def serving(reach: Reach) -> list[Statement]:
    """Models, endpoints, the registry and pipelines, and asking an endpoint whether it is well."""
    kinds = ("endpoint", "endpoint-config", "model", "model-package", "model-package-group")
    calls = (
        "AddTags CreateEndpoint CreateEndpointConfig CreateModel CreateModelPackage CreateModelPackageGroup "
        "DeleteEndpoint DeleteEndpointConfig DeleteModel DeleteModelPackage DeleteModelPackageGroup "
        "DeleteModelPackageGroupPolicy DeleteTags InvokeEndpoint ListModelPackages "
        "PutModelPackageGroupPolicy UpdateEndpoint UpdateEndpointWeightsAndCapacities "
        "UpdateModelPackage"
    )
    machines = reach.arn("states", f"stateMachine:{reach.prefix}-*", f"execution:{reach.prefix}-*")
    pipelines = (
        "CreateStateMachine DeleteStateMachine DescribeExecution ListExecutions StartExecution StopExecution "
        "TagResource UntagResource UpdateStateMachine"
    )
    scaling = (
        "DeleteScalingPolicy DeleteScheduledAction DeregisterScalableTarget PutScalingPolicy PutScheduledAction "
        "RegisterScalableTarget TagResource UntagResource"
    )
    return [
        statement(
            "Endpoints",
            [f"sagemaker:{each}" for each in calls.split()],
            reach.arn("sagemaker", *(f"{kind}/{reach.prefix}-*" for kind in kinds)),
        ),
        *_asking_asynchronously(reach),
        statement(
            "ListServing",
            ["sagemaker:ListEndpointConfigs", "sagemaker:ListEndpoints", "sagemaker:ListModels"],
            ["*"],
            any_resource_because="a list has no resource; what no endpoint uses is looked for by name and tags",
        ),
        statement("Machines", [f"states:{each}" for each in pipelines.split()], machines),
        statement(
            "ValidateMachines",
            ["states:ValidateStateMachineDefinition"],
            ["*"],
            any_resource_because="a definition is validated before there is a machine",
        ),
        statement(
            "Scale",
            [f"application-autoscaling:{each}" for each in scaling.split()],
            reach.arn("application-autoscaling", "scalable-target/*"),
            {"StringEqualsIfExists": {"application-autoscaling:service-namespace": "sagemaker"}},
        ),
    ]


def _asking_asynchronously(reach: Reach) -> list[Statement]:
    """Ask an endpoint that answers into S3 whether it is well; the traffic captured beside it stays unread.

    The bucket's key is the stack's own, which `UseKeys` covers, and the bucket may be listed (`reading.py`): so S3 says
    of an answer that it is not there yet, and not 403.
    """
    below = f"{reach.bucket('capture')}/async/*"
    return [
        statement(
            "AskAsynchronously",
            ["sagemaker:InvokeEndpointAsync"],
            reach.arn("sagemaker", f"endpoint/{reach.prefix}-*"),
        ),
        statement("AsyncRequests", ["s3:GetObject", "s3:PutObject"], [f"{below}/requests/*"]),
        statement("AsyncAnswers", ["s3:GetObject"], [f"{below}/answers/*", f"{below}/failures/*"]),
    ]


POLICIES: Mapping[str, Callable[[Reach], list[Statement]]] = {
    "state": state,
    "storage": storage,
    "network": network,
    "identity": identity,
    "data": data,
    "serving": serving,
    "operations": operations,
}
"""The deploy role's managed policies by name; AWS allows ten on a role, each of 6,144 characters."""
