"""Settings that protect, encrypt, record or alarm: a table of what must not get less."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from delivery.gate.changes import Change, Changes
from delivery.gate.finding import Finding, GateRule
from infra.policies.resources import Properties, is_unknown

Less = Callable[[Any, Any], bool]
"""Whether the new value is less than the old; neither is unknown."""
_FOR_EVER = float("inf")


@dataclass(frozen=True)
class Setting:
    """One property that must not get less."""

    rule: GateRule
    type: str
    path: str
    less: Less


def _no_longer(value: Any) -> Less:
    return lambda old, new: old == value and new != value


def _now(value: Any) -> Less:
    return lambda old, new: old != value and new == value


def _gone(old: Any, new: Any) -> bool:
    return bool(old) and not new


def _lower(old: Any, new: Any) -> bool:
    return old is not None and (new is None or float(new) < float(old))


def _sooner(old: Any, new: Any) -> bool:
    """Of a time that is kept: none, or 0, is for ever."""
    return float(new or _FOR_EVER) < float(old or _FOR_EVER)


def _fewer(old: Any, new: Any) -> bool:
    kept = [*cast(list[Any], new or [])]
    missing = [each for each in cast(list[Any], old or []) if each not in kept]
    # What is not known yet may be any of them.
    return len(missing) > sum(_open(each) for each in kept)


def _open(value: Any) -> bool:
    if isinstance(value, dict):
        return any(is_unknown(each) for each in cast(dict[str, Any], value).values())
    return is_unknown(value)


def _ranked(*values: str) -> Less:
    """Values from the least to the most; what is not among them, such as none, is below the least."""
    rank = {value: index for index, value in enumerate(values)}
    return lambda old, new: rank.get(str(new), -1) < rank.get(str(old), -1)


_TRUE = _no_longer(True)  # noqa: FBT003 - the value itself
_TURNED_ON = _now(True)  # noqa: FBT003
_SSE = "rules.0.applyServerSideEncryptionByDefault"
_WORKGROUP = "aws:athena/workgroup:Workgroup"
_CONFIGURATION = "aws:sagemaker/endpointConfiguration:EndpointConfiguration"
_ENDPOINT = "aws:sagemaker/endpoint:Endpoint"
_MACHINE = "aws:sfn/stateMachine:StateMachine"
_REPOSITORY = "aws:ecr/repository:Repository"
_KEY = "aws:kms/key:Key"
_ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
_GROUP = "aws:cloudwatch/logGroup:LogGroup"
_CATALOG = "aws:glue/dataCatalogEncryptionSettings:DataCatalogEncryptionSettings"
_SECURITY = "aws:glue/securityConfiguration:SecurityConfiguration"
_LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
_ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
_BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"

SETTINGS: tuple[Setting, ...] = (
    *(
        Setting("open-to-public", type_, flag, _TRUE)
        for type_ in (_BLOCK, "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock")
        for flag in ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    ),
    Setting(
        "open-to-public",
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        "rule.objectOwnership",
        _no_longer("BucketOwnerEnforced"),
    ),
    Setting("remove-encryption", _ENCRYPTION, f"{_SSE}.sseAlgorithm", _ranked("AES256", "aws:kms", "aws:kms:dsse")),
    Setting("remove-encryption", _ENCRYPTION, f"{_SSE}.kmsMasterKeyId", _gone),
    Setting("remove-encryption", _GROUP, "kmsKeyId", _gone),
    Setting("remove-encryption", "aws:sns/topic:Topic", "kmsMasterKeyId", _gone),
    Setting("remove-encryption", "aws:sqs/queue:Queue", "kmsMasterKeyId", _gone),
    Setting("remove-encryption", "aws:sqs/queue:Queue", "sqsManagedSseEnabled", _TRUE),
    Setting("remove-encryption", "aws:secretsmanager/secret:Secret", "kmsKeyId", _gone),
    Setting("remove-encryption", _REPOSITORY, "encryptionConfigurations.0.kmsKey", _gone),
    Setting("remove-encryption", _CONFIGURATION, "kmsKeyArn", _gone),
    Setting("remove-encryption", _CONFIGURATION, "dataCaptureConfig.kmsKeyId", _gone),
    Setting("remove-encryption", _MACHINE, "encryptionConfiguration.kmsKeyId", _gone),
    Setting("remove-encryption", "aws:glue/job:Job", "securityConfiguration", _gone),
    Setting("remove-encryption", _CATALOG, "dataCatalogEncryptionSettings.encryptionAtRest.sseAwsKmsKeyId", _gone),
    Setting(
        "remove-encryption",
        _CATALOG,
        "dataCatalogEncryptionSettings.connectionPasswordEncryption.returnConnectionPasswordEncrypted",
        _TRUE,
    ),
    *(
        Setting("remove-encryption", _SECURITY, f"encryptionConfiguration.{part}.kmsKeyArn", _gone)
        for part in ("cloudwatchEncryption", "jobBookmarksEncryption", "s3Encryption")
    ),
    Setting(
        "remove-encryption",
        _WORKGROUP,
        "configuration.resultConfiguration.encryptionConfiguration.encryptionOption",
        _ranked("SSE_S3", "SSE_KMS", "CSE_KMS"),
    ),
    Setting("remove-encryption", "aws:eks/cluster:Cluster", "encryptionConfig.provider.keyArn", _gone),
    Setting("remove-logging", _GROUP, "retentionInDays", _sooner),
    Setting("remove-logging", _CONFIGURATION, "dataCaptureConfig.enableCapture", _TRUE),
    Setting("remove-logging", _MACHINE, "loggingConfiguration.level", _ranked("OFF", "FATAL", "ERROR", "ALL")),
    Setting("remove-logging", _MACHINE, "tracingConfiguration.enabled", _TRUE),
    Setting("remove-logging", _WORKGROUP, "configuration.publishCloudwatchMetricsEnabled", _TRUE),
    Setting("remove-logging", "aws:ec2/flowLog:FlowLog", "trafficType", _ranked("ACCEPT", "REJECT", "ALL")),
    Setting("remove-logging", "aws:eks/cluster:Cluster", "enabledClusterLogTypes", _fewer),
    Setting("remove-logging", "aws:cloudtrail/trail:Trail", "enableLogging", _TRUE),
    Setting("remove-logging", "aws:cloudtrail/trail:Trail", "enableLogFileValidation", _TRUE),
    Setting(
        "remove-protection",
        "aws:s3/bucketVersioning:BucketVersioning",
        "versioningConfiguration.status",
        _no_longer("Enabled"),
    ),
    Setting("remove-protection", "aws:s3/bucket:Bucket", "forceDestroy", _TURNED_ON),
    Setting("remove-protection", _LIFECYCLE, "rules.0.expiration.days", _sooner),
    Setting("remove-protection", _LIFECYCLE, "rules.0.noncurrentVersionExpiration.noncurrentDays", _sooner),
    Setting("remove-protection", _REPOSITORY, "forceDelete", _TURNED_ON),
    Setting("remove-protection", _REPOSITORY, "imageTagMutability", _no_longer("IMMUTABLE")),
    Setting("remove-protection", _REPOSITORY, "imageScanningConfiguration.scanOnPush", _TRUE),
    Setting("remove-protection", _KEY, "deletionWindowInDays", _lower),
    Setting("remove-protection", _KEY, "enableKeyRotation", _TRUE),
    Setting("remove-protection", _KEY, "isEnabled", _now(False)),  # noqa: FBT003
    Setting("remove-protection", _KEY, "bypassPolicyLockoutSafetyCheck", _TURNED_ON),
    Setting("remove-protection", "aws:secretsmanager/secret:Secret", "recoveryWindowInDays", _lower),
    Setting("remove-protection", "aws:dynamodb/table:Table", "deletionProtectionEnabled", _TRUE),
    Setting("remove-protection", "aws:dynamodb/table:Table", "pointInTimeRecovery.enabled", _TRUE),
    Setting("remove-protection", "aws:eks/cluster:Cluster", "deletionProtection", _TRUE),
    Setting("remove-protection", "aws:sagemaker/model:Model", "enableNetworkIsolation", _TRUE),
    Setting("remove-protection", "aws:sagemaker/model:Model", "vpcConfig", _gone),
    Setting("remove-protection", _WORKGROUP, "configuration.enforceWorkgroupConfiguration", _TRUE),
    Setting("remove-alarm", _ALARM, "alarmActions", _fewer),
    Setting("remove-alarm", _ALARM, "actionsEnabled", _now(False)),  # noqa: FBT003
    Setting("remove-alarm", _ENDPOINT, "deploymentConfig.autoRollbackConfiguration.alarms", _fewer),
    Setting("remove-alarm", "aws:budgets/budget:Budget", "notifications", _fewer),
)


def lessened(changes: Changes) -> Iterator[Finding]:
    """Every setting that gets less, and every protection that is lifted."""
    for change in changes.all:
        if change.step.unprotected:
            yield change.found("remove-protection", "protect is lifted")
        if not change.touched or change.deleted:
            continue
        for setting in SETTINGS:
            if setting.type == change.step.type and (said := _less(setting, change)):
                yield change.found(setting.rule, said)


def _less(setting: Setting, change: Change) -> str | None:
    old, new = _value(change.old, setting.path), _value(change.new, setting.path)
    # What is not known yet is set to something: a key that is yet to be made. That it is none is known.
    if is_unknown(old) or is_unknown(new) or not setting.less(old, new):
        return None
    return f"{setting.path}: {_shown(old)} → {_shown(new)}"


def _value(properties: Properties, path: str) -> Any:
    value: Any = properties.resource.properties
    for step in path.split("."):
        if is_unknown(value):
            return value
        if isinstance(value, dict):
            value = cast(dict[str, Any], value).get(step)
        elif isinstance(value, list) and step.isdigit():
            items = cast(list[Any], value)
            value = items[int(step)] if int(step) < len(items) else None
        else:
            return None
    return value


def _shown(value: Any) -> str:
    if value is None:
        return "not set"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
