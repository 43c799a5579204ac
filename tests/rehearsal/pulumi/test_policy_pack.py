from pathlib import Path

import pytest

from infra.sources import project_directory
from rehearsal.engine import Plan, Step
from rehearsal.engine.resource_state import ResourceState
from rehearsal.provider.wire import UNKNOWN
from rehearsal.pulumi.errors import CommandError
from rehearsal.pulumi.policy_pack import enforce, inspector
from tests.rehearsal.pulumi.conftest import Pulumi

PACK = project_directory() / "infra" / "policies" / "pack"


def logs(days: object) -> ResourceState:
    return ResourceState(
        urn="urn:pulumi:s::p::aws:cloudwatch/logGroup:LogGroup::jobs",
        type="aws:cloudwatch/logGroup:LogGroup",
        custom=True,
        inputs={"name": "/aws/glue/jobs", "retentionInDays": days, "kmsKeyId": UNKNOWN},
    )


def plan(state: ResourceState) -> Plan:
    step = Step(operation="create", urn=state.urn, type=state.type, new=state)
    return Plan(steps=(step,), every_step=(step,), seconds=0)


def test_a_plan_that_breaks_a_rule_is_refused() -> None:
    with pytest.raises(CommandError, match=r"Policy Violations:\n    \[mandatory\]  logs-retention-\S+ .*::jobs"):
        enforce(PACK, plan(logs(days=0)))
    enforce(PACK, plan(logs(days=365)))


def test_what_the_plan_could_not_know_is_judged_before_the_resource_is_made() -> None:
    enforce(PACK, plan(logs(days=UNKNOWN)))
    inspect = inspector(PACK)
    assert "[mandatory]  logs-retention-ends" in inspect(logs(days=0))
    assert inspect(logs(days=365)) == ""


def test_a_folder_that_is_no_pack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"is no policy pack: it has no PulumiPolicy\.yaml"):
        inspector(tmp_path)


@pytest.mark.slow
def test_an_up_with_the_pack_touches_nothing_that_breaks_a_rule(pulumi: Pulumi, on_aws: None) -> None:
    pulumi("stack", "init", "local")
    refused = pulumi("up", "--yes", "--skip-preview", "--policy-pack", str(PACK))
    assert refused.code == 1
    assert "Policy Violations:" in refused.stderr
    assert "aws:s3/bucket:Bucket::data" in refused.stderr
    assert '"urn"' not in pulumi("stack", "export").stdout
