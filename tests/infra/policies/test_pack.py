"""The pack as the Pulumi engine runs it: a process that answers over gRPC."""

import datetime
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from infra.policies import Resource, evaluate, load_exemptions
from infra.policies.catalogue import ALL_RULES
from infra.policies.exemptions import Exemption
from infra.policies.resources import UNKNOWN
from infra.policies.rule import ResourceRule

PACK = Path(__file__).resolve().parents[3] / "infra" / "policies" / "pack"
TODAY = datetime.datetime.now(datetime.UTC).date()
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def analyzer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    command = [sys.executable, "-u", str(PACK), "127.0.0.1:1"]
    with subprocess.Popen(command, cwd=elsewhere, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield analyzer_pb2_grpc.AnalyzerStub(channel)
        process.terminate()


def urn(type_: str, name: str) -> str:
    return f"urn:pulumi:dev::drivetrain::{type_}::{name}"


def struct(properties: Any) -> struct_pb2.Struct:
    message = struct_pb2.Struct()
    message.update(properties)
    return message


def asked(analyzer: Any, type_: str, properties: Any, *, protect: bool = True) -> dict[str, str]:
    request = analyzer_pb2.AnalyzeRequest(
        type=type_,
        name="example",
        urn=urn(type_, "example"),
        properties=struct(properties),
        options=analyzer_pb2.AnalyzerResourceOptions(protect=protect),
    )
    return {each.policyName: each.message for each in analyzer.Analyze(request).diagnostics}


def test_every_rule_is_a_mandatory_policy_with_its_source(analyzer: Any) -> None:
    info = analyzer.GetAnalyzerInfo(empty_pb2.Empty())
    told = {policy.name: policy for policy in info.policies}
    assert set(told) == {rule.id for rule in ALL_RULES} | {"exemption-expired"}
    assert {policy.enforcementLevel for policy in info.policies} == {analyzer_pb2.MANDATORY}
    for rule in ALL_RULES:
        assert told[rule.id].url == rule.sources[0].url
        assert rule.cited in told[rule.id].description
        assert told[rule.id].severity == getattr(analyzer_pb2, f"POLICY_SEVERITY_{rule.severity.upper()}")


def test_the_pack_says_of_each_example_what_the_rules_say(analyzer: Any) -> None:
    rules = [rule for rule in ALL_RULES if isinstance(rule, ResourceRule)]
    for rule in rules:
        for properties in (rule.passing, rule.failing):
            type_ = rule.types[0]
            resource = Resource(type=type_, name="example", properties=properties, urn=urn(type_, "example"))
            pure = {each.rule: each.message for each in evaluate([resource], load_exemptions(), TODAY)}
            pure = {name: said for name, said in pure.items() if name in {each.id for each in rules}}
            told = asked(analyzer, type_, properties)
            assert set(told) == set(pure), rule.id
            assert all(told[name].endswith(pure[name]) for name in pure), told


def test_the_pack_judges_how_resources_relate(analyzer: Any) -> None:
    bucket, block = "aws:s3/bucket:Bucket", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    resources = [
        analyzer_pb2.AnalyzerResource(
            type=type_,
            name=name,
            urn=urn(type_, name),
            properties=struct({"bucket": name}),
            options=analyzer_pb2.AnalyzerResourceOptions(protect=True),
        )
        for type_, name in ((bucket, "lake"), (bucket, "open"), (block, "lake"))
    ]
    answer = analyzer.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=resources))
    told = {(each.policyName, each.urn.split("::")[-1]) for each in answer.diagnostics}
    assert ("s3-bucket-blocks-public-access", "open") in told
    assert ("s3-bucket-blocks-public-access", "lake") not in told
    pure = evaluate(
        [Resource(type=e.type, name=e.name, urn=e.urn, properties={"bucket": e.name}, protect=True) for e in resources],
        load_exemptions(),
        TODAY,
    )
    stack_rules = {rule.id for rule in ALL_RULES if not isinstance(rule, ResourceRule)}
    assert told == {(each.rule, each.name) for each in pure if each.rule in stack_rules}


def test_what_is_not_known_yet_stops_no_preview(analyzer: Any) -> None:
    type_ = "aws:s3/bucketVersioning:BucketVersioning"
    assert asked(analyzer, type_, {"bucket": UNKNOWN, "versioningConfiguration": UNKNOWN}) == {}
    assert list(asked(analyzer, type_, {"bucket": "lake", "versioningConfiguration": {"status": "Suspended"}})) == [
        "s3-versioning-enabled"
    ]


def test_an_expired_exemption_is_reported_and_exempts_nothing() -> None:
    expired = Exemption(
        rule="kms-rotation", resource="data", reason="an example of one that ended", expires=datetime.date(2026, 1, 1)
    )
    key = Resource(type="aws:kms/key:Key", name="data", properties={"enableKeyRotation": False}, protect=True)
    told = {each.rule for each in evaluate([key], [expired], datetime.date(2026, 1, 2))}
    assert told >= {"exemption-expired", "kms-rotation"}
    assert "kms-rotation" not in {each.rule for each in evaluate([key], [expired], datetime.date(2026, 1, 1))}
