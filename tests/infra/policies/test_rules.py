"""Each rule's own examples are its tests; and what holds for all rules."""

import ast
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from infra.policies.catalogue import ALL_RULES
from infra.policies.evaluation import judge
from infra.policies.resources import UNKNOWN, Resource, Stack, Undecided
from infra.policies.rule import SEVERITIES, ResourceRule, StackRule
from infra.policies.sources import CATALOGUES

RESOURCE_RULES = [rule for rule in ALL_RULES if isinstance(rule, ResourceRule)]
STACK_RULES = [rule for rule in ALL_RULES if isinstance(rule, StackRule)]
ROOT = Path(__file__).resolve().parents[3]
ITEMS = {
    "Machine Learning Lens": r"ML(SEC|REL|OE|COST|SUS|PER)\d\d-BP\d\d",
    "Security Hub": r"[A-Za-z0-9]+\.\d+",
    "CIS AWS Foundations": r"v5\.0\.0 [\d.]+, v3\.0\.0 [\d.]+",
}
POLICIES = ROOT / "infra" / "policies"


def example(rule: ResourceRule, properties: Any) -> Resource:
    name = "dead-letters" if rule.id == "sqs-dead-letters-kept" else "example"
    return Resource(type=rule.types[0], name=name, properties=properties)


@pytest.mark.parametrize("rule", RESOURCE_RULES, ids=lambda rule: rule.id)
def test_a_resource_rule_passes_and_fails_its_examples(rule: ResourceRule) -> None:
    assert rule.verdict(example(rule, rule.passing)) is None
    said = rule.verdict(example(rule, rule.failing))
    assert said
    # The reason is the one change between the examples: its property is named, or the policy document's statement.
    leaves = {key for key in _keys(rule.broken_by) if re.search(rf"\b{re.escape(key)}\b", said)}
    assert leaves or "everyone" in said or "more than one environment" in said or "to anywhere" in said, said


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {str(key) for key in value} | {key for each in value.values() for key in _keys(each)}
    return {key for each in value for key in _keys(each)} if isinstance(value, list) else set()


def test_a_passing_example_passes_all_rules_that_share_it() -> None:
    """So that what fails is the change alone, and for this rule's reason."""
    for rule in RESOURCE_RULES:
        sharing = [each for each in RESOURCE_RULES if each.passing is rule.passing and rule.types[0] in each.types]
        said = {each.id: each.verdict(example(rule, rule.passing)) for each in sharing}
        assert {key: value for key, value in said.items() if value} == {}, rule.id


def test_no_rule_gives_a_false_verdict_on_what_is_not_known_yet() -> None:
    for rule in RESOURCE_RULES:
        for key in rule.broken_by:
            verdict = undecided_or(rule, {**rule.failing, key: UNKNOWN})
            assert verdict is None or key not in verdict, f"{rule.id}: {key}"


def undecided_or(rule: ResourceRule, properties: Any) -> str | None:
    try:
        return rule.verdict(example(rule, properties))
    except Undecided:
        return None


def test_a_rule_judges_only_its_own_types() -> None:
    for rule in RESOURCE_RULES:
        other = Resource(type="aws:another/type:Type", name="example", properties=rule.failing)
        assert rule.verdict(other) is None, rule.id


@pytest.mark.parametrize("rule", STACK_RULES, ids=lambda rule: rule.id)
def test_a_stack_rule_passes_and_fails_its_examples(rule: StackRule) -> None:
    assert verdicts(rule, rule.passing) == []
    (said,) = verdicts(rule, rule.failing)
    assert said


def verdicts(rule: StackRule, resources: tuple[Resource, ...]) -> list[str]:
    stack = Stack(resources)
    judged = [judge(rule, each, stack) for each in stack.of(*rule.types)]
    assert judged
    return [said for said in judged if said]


@pytest.mark.parametrize("document", ["{", "[]", '{"Statement": "all"}', UNKNOWN, "[secret]"])
def test_what_is_no_policy_document_is_not_decided(document: str) -> None:
    rule = next(each for each in RESOURCE_RULES if each.id == "iam-no-full-access")
    with pytest.raises(Undecided):
        rule.verdict(example(rule, {"policy": document}))


def test_a_relation_that_is_not_known_yet_is_not_decided() -> None:
    rule = next(each for each in STACK_RULES if each.id == "s3-bucket-versioned")
    bucket = Resource(type=rule.types[0], name="lake", properties={"bucket": UNKNOWN})
    versioning = Resource(type="aws:s3/bucketVersioning:BucketVersioning", name="lake", properties={"bucket": UNKNOWN})
    with pytest.raises(Undecided):
        judge(rule, bucket, Stack((bucket, versioning)))
    assert judge(rule, bucket, Stack((bucket,)))


def test_there_are_at_least_sixty_rules_and_each_is_told_apart() -> None:
    assert len(ALL_RULES) >= 60
    assert [key for key, count in Counter(rule.id for rule in ALL_RULES).items() if count > 1] == []
    assert [key for key, count in Counter(rule.title for rule in ALL_RULES).items() if count > 1] == []


def test_every_rule_says_where_it_comes_from() -> None:
    for rule in ALL_RULES:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.id), rule.id
        assert rule.severity in SEVERITIES, rule.id
        assert rule.title, rule.id
        assert rule.sources, rule.id
        assert rule.types, rule.id
        for source in rule.sources:
            assert source.catalogue in CATALOGUES, rule.id
            assert source.url.startswith("https://docs.aws.amazon.com/"), rule.id
            assert re.fullmatch(ITEMS.get(source.catalogue, r".+"), source.item), f"{rule.id}: {source.item}"


def test_the_issue_s_services_are_covered() -> None:
    services = {rule.service for rule in ALL_RULES}
    assert services >= {"s3", "kms", "iam", "ecr", "eks", "glue", "athena", "lambda", "cloudwatch", "sagemaker"}
    cited = {source.catalogue for rule in ALL_RULES for source in rule.sources}
    assert cited >= {"Security Hub", "CIS AWS Foundations", "Machine Learning Lens"}


def test_the_examples_are_json_as_the_engine_hands_them_over() -> None:
    for rule in RESOURCE_RULES:
        assert json.loads(json.dumps(rule.failing)) == rule.failing, rule.id


def test_rules_import_no_pulumi() -> None:
    for path in [*POLICIES.glob("*.py"), *POLICIES.glob("rules/*.py")]:
        tree = ast.walk(ast.parse(path.read_text()))
        names = [node.module or "" for node in tree if isinstance(node, ast.ImportFrom)]
        assert not [name for name in names if name.startswith("pulumi")], path


@pytest.mark.slow
def test_rules_load_no_pulumi() -> None:
    script = "import sys, infra.policies; print(sorted(name for name in sys.modules if name.startswith('pulumi')))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
