"""The diff gate: what a preview would destroy, open or weaken is stopped unless a commit allows just that.

`check` is one pure function from a preview and the allowances of commits to a verdict; pull requests and deployments
call the same. docs/delivery-gate.md describes rules and lines.
"""

from delivery.gate.allowances import Allowance, AllowanceError, parse_allowances, read_allowances
from delivery.gate.finding import GATE_RULES, Finding, GateRule
from delivery.gate.verdict import GateError, Verdict, check, require

__all__ = [
    "GATE_RULES",
    "Allowance",
    "AllowanceError",
    "Finding",
    "GateError",
    "GateRule",
    "Verdict",
    "check",
    "parse_allowances",
    "read_allowances",
    "require",
]
