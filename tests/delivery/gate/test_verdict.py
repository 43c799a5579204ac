"""The verdict as a whole: policies beside findings, first deployments, scale, and what it says."""

import datetime
import json

import pytest

from delivery.gate import GateError, check, parse_allowances, require
from delivery.pulumi.preview import Preview, PreviewStep
from infra.policies import Exemption
from infra.policies.resources import UNKNOWN
from tests.delivery.gate.steps import allow, document, step, there

BUCKET = "aws:s3/bucket:Bucket"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
ROLE = "aws:iam/role:Role"
GROUP = "aws:cloudwatch/logGroup:LogGroup"
TODAY = datetime.date(2026, 11, 21)


def preview(*steps: PreviewStep) -> Preview:
    return Preview(steps=steps, change_summary={})


def exemption(rule: str, resource: str, expires: datetime.date) -> Exemption:
    return Exemption(rule=rule, resource=resource, reason="an example of an exemption", expires=expires)


def test_nothing_to_do_passes() -> None:
    verdict = check(preview(), stack="dev")
    assert verdict.passed
    assert verdict.text == "the gate lets dev pass"
    require(verdict)


def test_the_first_deployment_of_a_stack_passes_but_opens_nothing() -> None:
    github = {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": "provider"}}
    steps = [
        step("create", ROLE, "deploy", new={"name": "deploy", "assumeRolePolicy": document(github)}),
        step(
            "create", "aws:iam/rolePolicy:RolePolicy", new={"role": "deploy", "policy": document(allow("s3:GetObject"))}
        ),
        *(step("create", GROUP, f"log-{number}", new={"name": f"log-{number}"}) for number in range(300)),
    ]
    assert check(preview(*steps)).stopped == ()
    gateway = step("create", "aws:ec2/internetGateway:InternetGateway")
    assert [each.rule for each in check(preview(*steps, gateway)).stopped] == ["open-to-public"]


@pytest.mark.parametrize(
    ("touched", "there_are", "stopped"),
    [(20, 20, False), (21, 84, False), (21, 83, True), (100, 1000, False), (101, 1000, True)],
)
def test_many_changes_are_counted_and_weighed(touched: int, there_are: int, stopped: bool) -> None:
    updates = [step("update", "aws:ec2/vpc:Vpc", f"it-{number}") for number in range(touched)]
    verdict = check(preview(*updates, *there(there_are - touched)))
    assert [each.rule for each in verdict.stopped] == (["many-changes"] if stopped else [])


def test_what_is_new_is_not_many_changes_and_components_do_not_count() -> None:
    new = [step("create", "aws:ec2/vpc:Vpc", f"it-{number}") for number in range(200)]
    component = [step("update", "drivetrain:model:Model", f"it-{number}", custom=False) for number in range(200)]
    assert check(preview(*new, *component, *there(10))).stopped == ()


def test_many_changes_are_allowed_for_one_stack() -> None:
    updates = preview(*(step("update", "aws:ec2/vpc:Vpc", f"it-{number}") for number in range(50)))
    for stack, passes in (("dev", True), ("production", False)):
        line = f"Allow-change: many-changes {stack}"
        assert (check(updates, parse_allowances(line, "commit 1")).stopped == ()) is passes


def test_a_replacement_of_three_steps_is_one_finding() -> None:
    sides = {"old": {"bucket": "a"}, "new": {"bucket": "b"}}
    steps = (
        step("create-replacement", BUCKET, **sides),
        step("replace", BUCKET, **sides),
        step("delete-replaced", BUCKET),
    )
    assert [each.rule for each in check(preview(*steps)).stopped] == ["delete-data"]


def test_a_policy_stops_what_no_commit_allows() -> None:
    suspended = {"bucket": "raw", "versioningConfiguration": {"status": "Suspended"}}
    enabled = {"bucket": "raw", "versioningConfiguration": {"status": "Enabled"}}
    plan = preview(step("update", VERSIONING, "raw", old=enabled, new=suspended))
    allowed = parse_allowances("Allow-change: remove-protection raw", "commit 1")
    verdict = check(plan, allowed, today=TODAY)
    assert verdict.stopped == ()
    assert [each.rule for each in verdict.violations] == ["s3-versioning-enabled"]
    assert not verdict.passed
    exempt = exemption("s3-versioning-enabled", "raw", TODAY)
    assert check(plan, allowed, exemptions=[exempt], today=TODAY).passed
    late = check(plan, allowed, exemptions=[exempt], today=TODAY + datetime.timedelta(days=1))
    assert {each.rule for each in late.violations} == {"s3-versioning-enabled", "exemption-expired"}
    assert "the exemption from s3-versioning-enabled expired on 2026-11-21, 1 days ago" in late.text


def test_policies_judge_all_that_stays_and_nothing_that_goes() -> None:
    suspended = {"bucket": "raw", "versioningConfiguration": {"status": "Suspended"}}
    assert check(preview(step("same", VERSIONING, old=suspended)), today=TODAY).violations
    assert not check(preview(step("delete", VERSIONING, old=suspended)), today=TODAY).violations


def test_what_is_not_known_yet_is_counted_and_stops_nothing() -> None:
    unknown = step("create", VERSIONING, new={"bucket": UNKNOWN, "versioningConfiguration": {"status": UNKNOWN}})
    verdict = check(preview(unknown), today=TODAY)
    assert verdict.passed
    assert verdict.undecided == 1


def test_the_verdict_says_what_would_allow_it_and_that_does() -> None:
    plan = preview(*there(), step("delete", BUCKET, "raw"), step("delete", ROLE, "auto-mpg-train"))
    verdict = check(plan, today=TODAY)
    with pytest.raises(GateError) as caught:
        require(verdict)
    assert "the gate stops dev:" in str(caught.value)
    assert "delete-data: aws:s3/bucket:Bucket::raw: is deleted" in str(caught.value)
    lines = "\n".join(each.allowance for each in verdict.stopped)
    assert check(plan, parse_allowances(lines, "commit 1"), today=TODAY).passed


def test_the_verdict_as_json_holds_all_that_a_report_shows() -> None:
    plan = preview(*there(), step("delete", BUCKET, "raw"), step("delete", ROLE, "train"))
    allowances = parse_allowances("Allow-change: delete-data raw because it is empty", "commit 1")
    found = json.loads(json.dumps(check(plan, allowances, today=TODAY).to_json()))
    assert (found["stack"], found["passed"]) == ("dev", False)
    assert [(each["rule"], each["name"], each["allowance"]) for each in found["stopped"]] == [
        ("delete-identity", "train", "Allow-change: delete-identity train")
    ]
    assert found["allowed"][0]["by"] == "Allow-change: delete-data raw because it is empty (commit 1, line 1)"
    assert found["allowed"][0]["meaning"] == "replaces or deletes what holds data"


def test_the_verdict_is_the_same_whenever_it_is_asked() -> None:
    plan = preview(*there(), step("delete", BUCKET, "raw"), step("delete", BUCKET, "another"))
    assert check(plan, today=TODAY).to_json() == check(plan, today=TODAY).to_json()
