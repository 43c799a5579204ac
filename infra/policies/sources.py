"""Where a rule comes from: the published catalogues, by the number that each gives its item, with the page to read."""

from dataclasses import dataclass
from typing import Literal

Catalogue = Literal["Security Hub", "CIS AWS Foundations", "Machine Learning Lens", "AWS documentation"]
CATALOGUES: tuple[Catalogue, ...] = (
    "Security Hub",
    "CIS AWS Foundations",
    "Machine Learning Lens",
    "AWS documentation",
)
_DOCS = "https://docs.aws.amazon.com"


@dataclass(frozen=True, kw_only=True)
class Source:
    """One item of a catalogue."""

    catalogue: Catalogue
    item: str
    url: str

    @property
    def label(self) -> str:
        """How the item is cited."""
        return f"{self.catalogue} {self.item}"


def security_hub(control: str) -> Source:
    """A control of AWS Security Hub CSPM, such as `S3.5`."""
    service, number = control.lower().split(".")
    url = f"{_DOCS}/securityhub/latest/userguide/{service}-controls.html#{service}-{number}"
    return Source(catalogue="Security Hub", item=control, url=url)


def cis(v5: str, v3: str) -> Source:
    """A recommendation of the CIS AWS Foundations Benchmark, whose number differs between version 5.0.0 and 3.0.0."""
    url = f"{_DOCS}/securityhub/latest/userguide/cis-aws-foundations-benchmark.html"
    return Source(catalogue="CIS AWS Foundations", item=f"v5.0.0 {v5}, v3.0.0 {v3}", url=url)


def ml_lens(practice: str) -> Source:
    """A best practice of the Well-Architected Machine Learning Lens, such as `MLSEC04-BP02`."""
    url = f"{_DOCS}/wellarchitected/latest/machine-learning-lens/{practice.lower()}.html"
    return Source(catalogue="Machine Learning Lens", item=practice, url=url)


def aws_docs(topic: str, page: str) -> Source:
    """A page of AWS's own documentation, for what no catalogue has an item for."""
    return Source(catalogue="AWS documentation", item=topic, url=f"{_DOCS}/{page}")
