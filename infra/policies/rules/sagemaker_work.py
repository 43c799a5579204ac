"""SageMaker where people work and where monitoring runs: notebooks, Studio, data quality jobs."""

from infra.policies.checks import is_true, one_of, present
from infra.policies.rule import REMOVED, Rule
from infra.policies.rules.sagemaker import sagemaker_rule
from infra.policies.sources import aws_docs, ml_lens, security_hub

_NOTEBOOK = ("aws:sagemaker/notebookInstance:NotebookInstance",)
_QUALITY = ("aws:sagemaker/dataQualityJobDefinition:DataQualityJobDefinition",)
_GOOD_NOTEBOOK = {"directInternetAccess": "Disabled", "subnetId": "subnet-1", "rootAccess": "Disabled"}
_MONITORED = {"networkConfig": {"enableInterContainerTrafficEncryption": True, "enableNetworkIsolation": True}}


RULES: tuple[Rule, ...] = (
    sagemaker_rule(
        "sagemaker-notebook-offline",
        "A notebook has no direct way to the internet",
        "high",
        _NOTEBOOK,
        one_of("directInternetAccess", "Disabled"),
        _GOOD_NOTEBOOK,
        {"directInternetAccess": "Enabled"},
        security_hub("SageMaker.1"),
    ),
    sagemaker_rule(
        "sagemaker-notebook-vpc",
        "A notebook is in a subnet of one's own",
        "high",
        _NOTEBOOK,
        present("subnetId"),
        _GOOD_NOTEBOOK,
        {"subnetId": REMOVED},
        security_hub("SageMaker.2"),
    ),
    sagemaker_rule(
        "sagemaker-notebook-no-root",
        "Nobody is root on a notebook",
        "high",
        _NOTEBOOK,
        one_of("rootAccess", "Disabled"),
        _GOOD_NOTEBOOK,
        {"rootAccess": "Enabled"},
        security_hub("SageMaker.3"),
    ),
    sagemaker_rule(
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
    sagemaker_rule(
        "sagemaker-quality-isolated",
        "A data quality job reaches no network",
        "medium",
        _QUALITY,
        is_true("networkConfig.enableNetworkIsolation"),
        _MONITORED,
        {"networkConfig": {"enableNetworkIsolation": False}},
        security_hub("SageMaker.11"),
    ),
    sagemaker_rule(
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
