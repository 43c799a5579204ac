"""SageMaker where people work and where monitoring runs: notebooks, Studio, data quality jobs."""

from typing import Any

from infra.policies.checks import is_true, one_of, present
from infra.policies.rule import REMOVED, Check, ResourceRule, Rule, Severity
from infra.policies.sources import Source, aws_docs, ml_lens, security_hub

_NOTEBOOK = ("aws:sagemaker/notebookInstance:NotebookInstance",)
_QUALITY = ("aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition",)
_GOOD_NOTEBOOK = {"directInternetAccess": "Disabled", "subnetId": "subnet-1", "rootAccess": "Disabled"}
_MONITORED = {"networkConfig": {"enableInterContainerTrafficEncryption": True, "enableNetworkIsolation": True}}


def _rule(
    id_: str,
    title: str,
    severity: Severity,
    types: tuple[str, ...],
    check: Check,
    passing: dict[str, Any],
    broken: dict[str, Any],
    *sources: Source,
) -> Rule:
    return ResourceRule(
        id=id_,
        title=title,
        sources=sources,
        severity=severity,
        types=types,
        check=check,
        passing=passing,
        broken_by=broken,
    )


RULES: tuple[Rule, ...] = (
    _rule(
        "sagemaker-notebook-offline",
        "A notebook has no direct way to the internet",
        "high",
        _NOTEBOOK,
        one_of("directInternetAccess", "Disabled"),
        _GOOD_NOTEBOOK,
        {"directInternetAccess": "Enabled"},
        security_hub("SageMaker.1"),
    ),
    _rule(
        "sagemaker-notebook-vpc",
        "A notebook is in a subnet of one's own",
        "high",
        _NOTEBOOK,
        present("subnetId"),
        _GOOD_NOTEBOOK,
        {"subnetId": REMOVED},
        security_hub("SageMaker.2"),
    ),
    _rule(
        "sagemaker-notebook-no-root",
        "Nobody is root on a notebook",
        "high",
        _NOTEBOOK,
        one_of("rootAccess", "Disabled"),
        _GOOD_NOTEBOOK,
        {"rootAccess": "Enabled"},
        security_hub("SageMaker.3"),
    ),
    _rule(
        "sagemaker-quality-traffic-encrypted",
        "Instances of a data quality job talk encrypted",
        "medium",
        _QUALITY,
        is_true("networkConfig.enableInterContainerTrafficEncryption"),
        _MONITORED,
        {"networkConfig": {"enableInterContainerTrafficEncryption": False}},
        security_hub("SageMaker.9"),
        ml_lens("MLSEC04-BP02"),
    ),
    _rule(
        "sagemaker-quality-isolated",
        "A data quality job reaches no network",
        "medium",
        _QUALITY,
        is_true("networkConfig.enableNetworkIsolation"),
        _MONITORED,
        {"networkConfig": {"enableNetworkIsolation": False}},
        security_hub("SageMaker.11"),
    ),
    _rule(
        "sagemaker-domain-in-vpc",
        "A Studio domain goes through the VPC only",
        "high",
        ("aws:sagemaker/domain:Domain",),
        one_of("appNetworkAccessType", "VpcOnly"),
        {"appNetworkAccessType": "VpcOnly"},
        {"appNetworkAccessType": "PublicInternetOnly"},
        aws_docs("Studio in a VPC", "sagemaker/latest/dg/studio-notebooks-and-internet-access.html"),
        ml_lens("MLSEC04-BP01"),
    ),
)
