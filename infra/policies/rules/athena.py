"""Athena: what a workgroup holds its queries to."""

from infra.policies.checks import is_true, one_of, present
from infra.policies.rule import Check, ResourceRule, Rule, Severity
from infra.policies.sources import Source, aws_docs, ml_lens, security_hub

_WORKGROUP = ("aws:athena/workgroup:Workgroup",)
_RESULTS = {
    "outputLocation": "s3://results/",
    "encryptionConfiguration": {"encryptionOption": "SSE_KMS", "kmsKeyArn": "key"},
    "expectedBucketOwner": "111111111111",
}
_CONFIGURATION = {
    "enforceWorkgroupConfiguration": True,
    "publishCloudwatchMetricsEnabled": True,
    "bytesScannedCutoffPerQuery": 100_000_000_000,
    "resultConfiguration": _RESULTS,
}
_GOOD_WORKGROUP = {"name": "queries", "configuration": _CONFIGURATION}


def _workgroup(
    id_: str, title: str, severity: Severity, check: Check, broken: dict[str, object], *sources: Source
) -> Rule:
    return ResourceRule(
        id=id_,
        title=title,
        sources=sources,
        severity=severity,
        types=_WORKGROUP,
        check=check,
        passing=_GOOD_WORKGROUP,
        broken_by={"configuration": {**_CONFIGURATION, **broken}},
    )


RULES: tuple[Rule, ...] = (
    _workgroup(
        "athena-logging",
        "A workgroup publishes its metrics",
        "medium",
        is_true("configuration.publishCloudwatchMetricsEnabled"),
        {"publishCloudwatchMetricsEnabled": False},
        security_hub("Athena.4"),
    ),
    _workgroup(
        "athena-results-encrypted",
        "Query results are encrypted with a KMS key",
        "medium",
        one_of("configuration.resultConfiguration.encryptionConfiguration.encryptionOption", "SSE_KMS", "CSE_KMS"),
        {"resultConfiguration": {**_RESULTS, "encryptionConfiguration": {"encryptionOption": "SSE_S3"}}},
        aws_docs("Encrypting query results", "athena/latest/ug/encrypting-query-results-stored-in-s3.html"),
        ml_lens("MLSEC02-BP01"),
    ),
    _workgroup(
        "athena-settings-enforced",
        "A client cannot leave the workgroup's settings aside",
        "medium",
        is_true("configuration.enforceWorkgroupConfiguration"),
        {"enforceWorkgroupConfiguration": False},
        aws_docs("Overriding client settings", "athena/latest/ug/workgroups-settings-override.html"),
    ),
    _workgroup(
        "athena-scan-limit",
        "A query that scans too much is cut off",
        "low",
        present("configuration.bytesScannedCutoffPerQuery"),
        {"bytesScannedCutoffPerQuery": None},
        aws_docs("Data usage controls", "athena/latest/ug/workgroups-manage-queries-control-costs.html"),
        ml_lens("MLCOST04-BP12"),
    ),
    _workgroup(
        "athena-bucket-owner",
        "Results go to a bucket of this account only",
        "low",
        present("configuration.resultConfiguration.expectedBucketOwner"),
        {"resultConfiguration": {**_RESULTS, "expectedBucketOwner": None}},
        aws_docs("Expected bucket owner", "AmazonS3/latest/userguide/bucket-owner-condition.html"),
    ),
)
