"""What the gate stops: its rules, and what one of them found."""

from dataclasses import dataclass
from typing import Literal, get_args

GateRule = Literal[
    "delete-data",
    "delete-identity",
    "take-down",
    "widen-iam",
    "open-to-public",
    "remove-encryption",
    "remove-logging",
    "remove-protection",
    "remove-alarm",
    "many-changes",
]
GATE_RULES: tuple[GateRule, ...] = get_args(GateRule)
MEANING: dict[GateRule, str] = {
    "delete-data": "replaces or deletes what holds data",
    "delete-identity": "replaces or deletes what others know it by: a role, a key's alias, an identity provider",
    "take-down": "replaces or deletes what answers callers: an endpoint, a pipeline, a cluster",
    "widen-iam": "allows more than before: an action, a resource, a principal, a condition or a boundary less",
    "open-to-public": "opens something to everyone, or a way to everywhere",
    "remove-encryption": "encrypts less than before",
    "remove-logging": "records less than before, or keeps it for less long",
    "remove-protection": "takes away what protects from loss: protect, versions, deletion windows, isolation",
    "remove-alarm": "takes away an alarm, whom it tells, a budget, or what rolls a release back",
    "many-changes": "changes many resources at once",
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One change that is stopped unless it is allowed."""

    rule: GateRule
    urn: str
    name: str
    """The logical name; of `many-changes` the stack's."""
    type: str
    message: str

    @property
    def text(self) -> str:
        """The finding in one line."""
        return f"{self.rule}: {self.type}::{self.name}: {self.message}"

    @property
    def allowance(self) -> str:
        """The line of a commit message that would allow it and nothing else."""
        return f"Allow-change: {self.rule} {self.name}"
