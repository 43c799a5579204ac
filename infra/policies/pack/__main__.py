"""What the Pulumi engine starts: a server that it asks about every resource and, at the end, about the whole stack."""

import datetime
import sys
from pathlib import Path

# Started as a folder, Python looks for modules in that folder alone; what is shared lies at the project's root.
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from pulumi_policy import EnforcementLevel, PolicyPack

from infra.policies.exemptions import ExemptionError, load_exemptions
from infra.policies.pack.policies import policies

try:
    EXEMPTIONS = load_exemptions()
except ExemptionError as error:
    sys.exit(str(error))

PolicyPack(
    name="drivetrain",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=policies(EXEMPTIONS, datetime.datetime.now(datetime.UTC).date()),
)
