"""Replacing or deleting what holds data, is known by name, answers callers, or guards one of these."""

from collections.abc import Iterator

from delivery.gate.changes import Change, Changes
from delivery.gate.finding import Finding, GateRule

DATA = frozenset(
    {
        "aws:cloudwatch/logGroup:LogGroup",
        "aws:dynamodb/table:Table",
        "aws:ecr/repository:Repository",
        "aws:efs/fileSystem:FileSystem",
        "aws:glue/catalogDatabase:CatalogDatabase",
        "aws:glue/catalogTable:CatalogTable",
        "aws:kms/key:Key",
        "aws:rds/cluster:Cluster",
        "aws:rds/instance:Instance",
        "aws:s3/bucket:Bucket",
        "aws:s3/bucketV2:BucketV2",
        "aws:sagemaker/featureGroup:FeatureGroup",
        "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
        "aws:secretsmanager/secret:Secret",
        "aws:sqs/queue:Queue",
    }
)
IDENTITY = frozenset(
    {
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        "aws:iam/policy:Policy",
        "aws:iam/role:Role",
        "aws:iam/user:User",
        "aws:kms/alias:Alias",
        "aws:lakeformation/dataLakeSettings:DataLakeSettings",
        "aws:lakeformation/resource:Resource",
    }
)
ANSWERS = frozenset(
    {
        "aws:eks/cluster:Cluster",
        "aws:lambda/function:Function",
        "aws:sagemaker/endpoint:Endpoint",
        "aws:sfn/stateMachine:StateMachine",
    }
)
# What protects something else by being there, and the property that names what it protects.
GUARDS: dict[str, tuple[GateRule, str]] = {
    "aws:athena/workgroup:Workgroup": ("remove-protection", "name"),
    "aws:budgets/budget:Budget": ("remove-alarm", "name"),
    "aws:cloudtrail/trail:Trail": ("remove-logging", "name"),
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": ("remove-alarm", "name"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("remove-alarm", "name"),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": ("open-to-public", "vpcId"),
    "aws:ec2/flowLog:FlowLog": ("remove-logging", "vpcId"),
    "aws:ecr/lifecyclePolicy:LifecyclePolicy": ("remove-protection", "repository"),
    "aws:glue/dataCatalogEncryptionSettings:DataCatalogEncryptionSettings": ("remove-encryption", "catalogId"),
    "aws:glue/securityConfiguration:SecurityConfiguration": ("remove-encryption", "name"),
    "aws:s3/bucketLogging:BucketLogging": ("remove-logging", "bucket"),
    "aws:s3/bucketLoggingV2:BucketLoggingV2": ("remove-logging", "bucket"),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": ("open-to-public", "bucket"),
    "aws:s3/bucketPolicy:BucketPolicy": ("remove-protection", "bucket"),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ("open-to-public", "bucket"),
    "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock": ("open-to-public", "accountId"),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "remove-encryption",
        "bucket",
    ),
    "aws:s3/bucketVersioning:BucketVersioning": ("remove-protection", "bucket"),
    "aws:s3/bucketVersioningV2:BucketVersioningV2": ("remove-protection", "bucket"),
    "aws:sns/topic:Topic": ("remove-alarm", "name"),
    "aws:sns/topicPolicy:TopicPolicy": ("remove-protection", "arn"),
    "aws:sns/topicSubscription:TopicSubscription": ("remove-alarm", "topic"),
    "aws:sqs/queuePolicy:QueuePolicy": ("remove-protection", "queueUrl"),
}


def losses(changes: Changes) -> Iterator[Finding]:
    """What is lost with what goes."""
    gone = _names_of_what_goes(changes)
    for change in changes.all:
        verb = "deleted" if change.deleted else "replaced" if change.replaced else None
        if verb is None:
            continue
        if rule := _lost(change.step.type):
            yield change.found(rule, f"is {verb}{_because(change)}")
        elif change.deleted and (guard := GUARDS.get(change.step.type)) is not None:
            named = change.step.old_inputs.get(guard[1])
            # What it guards goes as well, and that is stopped by itself.
            if guard[1] == "name" or named not in gone:
                yield change.found(guard[0], "is deleted")


def _lost(type_: str) -> GateRule | None:
    if type_ in DATA:
        return "delete-data"
    if type_ in IDENTITY:
        return "delete-identity"
    return "take-down" if type_ in ANSWERS else None


def _because(change: Change) -> str:
    reasons = change.step.replace_reasons
    return f", as {', '.join(reasons)} cannot be changed in place" if reasons and change.replaced else ""


def _names_of_what_goes(changes: Changes) -> set[str]:
    going = [each for each in changes.all if each.deleted and each.step.type in DATA | IDENTITY]
    values = [
        value
        for each in going
        for source in (each.step.old_inputs, each.step.old_outputs)
        for key in ("bucket", "name", "arn", "url", "id")
        if isinstance(value := source.get(key), str)
    ]
    return set(values)
