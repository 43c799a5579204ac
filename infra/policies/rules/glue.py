"""Glue: jobs, connections, the catalog, and what encrypts what they write."""

from infra.policies.checks import all_of, at_least, at_most, is_true, one_of, present, when
from infra.policies.resources import Properties
from infra.policies.rule import REMOVED, Check, ResourceRule, Rule, Severity
from infra.policies.sources import Source, aws_docs, ml_lens, security_hub

_JOB = ("aws:glue/job:Job",)
_GOOD_JOB = {
    "name": "ingest",
    "glueVersion": "5.0",
    "securityConfiguration": "jobs",
    "timeout": 60,
    "command": {"name": "glueetl"},
    "defaultArguments": {"--enable-metrics": "true", "--enable-continuous-cloudwatch-log": "true"},
}
_SECURITY = ("aws:glue/securityConfiguration:SecurityConfiguration",)
_GOOD_SECURITY = {
    "encryptionConfiguration": {
        "cloudwatchEncryption": {"cloudwatchEncryptionMode": "SSE-KMS", "kmsKeyArn": "key"},
        "jobBookmarksEncryption": {"jobBookmarksEncryptionMode": "CSE-KMS", "kmsKeyArn": "key"},
        "s3Encryption": {"s3EncryptionMode": "SSE-KMS", "kmsKeyArn": "key"},
    }
}
_CATALOG = ("aws:glue/dataCatalogEncryptionSettings:DataCatalogEncryptionSettings",)
_SETTINGS = "dataCatalogEncryptionSettings"
_GOOD_CATALOG = {
    _SETTINGS: {
        "encryptionAtRest": {"catalogEncryptionMode": "SSE-KMS", "sseAwsKmsKeyId": "key"},
        "connectionPasswordEncryption": {"returnConnectionPasswordEncrypted": True, "awsKmsKeyId": "key"},
    }
}


def _spark(properties: Properties) -> bool:
    return properties.at("command.name") in (None, "glueetl", "gluestreaming")


def _encrypts(words: str, key: str, right: str) -> ResourceRule:
    mode = f"{key}EncryptionMode"
    given: dict[str, object] = {**_GOOD_SECURITY["encryptionConfiguration"], f"{key}Encryption": {mode: "DISABLED"}}
    return ResourceRule(
        id=f"glue-encrypts-{words}",
        title=f"Glue jobs encrypt their {words} with a KMS key",
        sources=(
            aws_docs("Encrypting data written by Glue", "glue/latest/dg/encryption-security-configuration.html"),
            ml_lens("MLSEC02-BP01"),
        ),
        severity="medium",
        types=_SECURITY,
        check=one_of(f"encryptionConfiguration.{key}Encryption.{mode}", right),
        passing=_GOOD_SECURITY,
        broken_by={"encryptionConfiguration": given},
    )


def _job(id_: str, title: str, severity: Severity, check: Check, broken: dict[str, object], *sources: Source) -> Rule:
    return ResourceRule(
        id=id_,
        title=title,
        sources=sources,
        severity=severity,
        types=_JOB,
        check=check,
        passing=_GOOD_JOB,
        broken_by=broken,
    )


def _catalog(id_: str, title: str, check: Check, part: str, broken: dict[str, object]) -> Rule:
    return ResourceRule(
        id=id_,
        title=title,
        sources=(
            aws_docs("Encrypting the Data Catalog", "glue/latest/dg/encrypt-glue-data-catalog.html"),
            ml_lens("MLSEC02-BP01"),
        ),
        severity="medium",
        types=_CATALOG,
        check=check,
        passing=_GOOD_CATALOG,
        broken_by={_SETTINGS: {**_GOOD_CATALOG[_SETTINGS], part: broken}},
    )


RULES: tuple[Rule, ...] = (
    _job(
        "glue-supported-version",
        "A Spark job runs on a version of Glue that AWS supports",
        "medium",
        when(_spark, at_least("glueVersion", 3)),
        {"glueVersion": "2.0"},
        security_hub("Glue.4"),
    ),
    _job(
        "glue-job-encrypted",
        "A job encrypts what it writes",
        "medium",
        present("securityConfiguration"),
        {"securityConfiguration": REMOVED},
        aws_docs("Security configurations", "glue/latest/dg/console-security-configurations.html"),
        ml_lens("MLSEC02-BP01"),
    ),
    _job(
        "glue-job-timeout",
        "A job that hangs ends within a day",
        "low",
        at_most("timeout", 24 * 60),
        {"timeout": 2880},
        ml_lens("MLCOST04-BP08"),
    ),
    _encrypts("logs", "cloudwatch", "SSE-KMS"),
    _encrypts("bookmarks", "jobBookmarks", "CSE-KMS"),
    _encrypts("objects", "s3", "SSE-KMS"),
    _catalog(
        "glue-catalog-encrypted",
        "The catalog's metadata is encrypted with a KMS key",
        all_of(
            one_of(f"{_SETTINGS}.encryptionAtRest.catalogEncryptionMode", "SSE-KMS", "SSE-KMS-WITH-SERVICE-ROLE"),
            present(f"{_SETTINGS}.encryptionAtRest.sseAwsKmsKeyId"),
        ),
        "encryptionAtRest",
        {"catalogEncryptionMode": "DISABLED"},
    ),
    _catalog(
        "glue-passwords-encrypted",
        "Passwords of connections are encrypted",
        is_true(f"{_SETTINGS}.connectionPasswordEncryption.returnConnectionPasswordEncrypted"),
        "connectionPasswordEncryption",
        {"returnConnectionPasswordEncrypted": False},
    ),
    ResourceRule(
        id="glue-transform-encrypted",
        title="A machine learning transform is encrypted",
        sources=(security_hub("Glue.3"),),
        severity="medium",
        types=("aws:glue/mLTransform:MLTransform",),
        check=one_of("transformEncryption.mlUserDataEncryption.mlUserDataEncryptionMode", "SSE-KMS"),
        passing={"transformEncryption": {"mlUserDataEncryption": {"mlUserDataEncryptionMode": "SSE-KMS"}}},
        broken_by={"transformEncryption": {"mlUserDataEncryption": {"mlUserDataEncryptionMode": "DISABLED"}}},
    ),
    ResourceRule(
        id="glue-connection-tls",
        title="A connection to a database is encrypted",
        sources=(aws_docs("Connection properties", "glue/latest/dg/connection-properties.html"),),
        severity="medium",
        types=("aws:glue/connection:Connection",),
        check=when(
            lambda properties: properties.at("connectionType") in (None, "JDBC"),
            one_of("connectionProperties.JDBC_ENFORCE_SSL", "true"),
        ),
        passing={"connectionType": "JDBC", "connectionProperties": {"JDBC_ENFORCE_SSL": "true"}},
        broken_by={"connectionProperties": {"JDBC_ENFORCE_SSL": "false"}},
    ),
)
