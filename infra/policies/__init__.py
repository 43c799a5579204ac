"""What every declared resource must be: rules as pure functions, shared by the tests, the gate and the policy pack.

Nothing here imports Pulumi except `pack/`, which the Pulumi engine starts as a program of its own.
"""

from infra.policies.evaluation import Violation, assess, evaluate
from infra.policies.exemptions import Exemption, ExemptionError, load_exemptions
from infra.policies.resources import Resource

__all__ = ["Exemption", "ExemptionError", "Resource", "Violation", "assess", "evaluate", "load_exemptions"]
