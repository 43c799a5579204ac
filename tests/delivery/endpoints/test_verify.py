"""What is live is held against release and state; a silent rollback is told with the alarm that caused it."""

import json
from datetime import timedelta
from typing import Any

import pytest

from delivery.endpoints.verify import NotAsDeclaredError, Verdict, refuse, verify
from tests.delivery.live_sagemaker import DIGEST, ENDPOINT, NOW, RELEASE, CloudWatch, SageMaker, name, state_of

ALARM = f"{ENDPOINT}-update-latency"


def verdict(sagemaker: SageMaker, state: dict[str, Any], cloudwatch: CloudWatch | None = None) -> Verdict:
    (found,) = verify(
        sagemaker=sagemaker,
        cloudwatch=cloudwatch or CloudWatch(),
        endpoints={"auto-mpg": ENDPOINT, "never-released": "other"},
        releases={"auto-mpg": RELEASE},
        state=state,
    )
    return found


@pytest.fixture
def sagemaker() -> SageMaker:
    held = SageMaker()
    held.add("1")
    held.serve("1")
    return held


def tripped(minutes: float, to: str = "ALARM") -> dict[str, Any]:
    data = {"newState": {"stateValue": to, "stateReason": "2 out of the last 3 datapoints"}}
    return {
        "AlarmName": ALARM,
        "Timestamp": NOW + timedelta(minutes=minutes),
        "HistorySummary": f"Alarm updated from OK to {to}",
        "HistoryData": json.dumps(data),
    }


def test_what_is_as_declared_passes(sagemaker: SageMaker) -> None:
    found = verdict(sagemaker, state_of("1"))
    assert (found.ok, found.mismatches, found.release, found.instances) == (True, (), RELEASE.package, 2)
    refuse([found])


def test_more_instances_than_declared_are_autoscalings_own_affair(sagemaker: SageMaker) -> None:
    sagemaker.serve("1", instances=4)
    assert verdict(sagemaker, state_of("1")).ok


def test_a_silent_rollback_is_told_with_its_alarm(sagemaker: SageMaker) -> None:
    sagemaker.add("2")
    cloudwatch = CloudWatch([tripped(-5), tripped(3), tripped(4, to="OK")])
    found = verdict(sagemaker, state_of("2"), cloudwatch)
    assert (found.ok, found.rolled_back, found.configuration) == (False, True, name("1"))
    assert [(cause.alarm, cause.at) for cause in found.causes] == [(ALARM, NOW + timedelta(minutes=3))]
    with pytest.raises(NotAsDeclaredError) as told:
        refuse([found])
    assert f"{ENDPOINT}: SageMaker rolled the update back; {RELEASE.package} is live" in str(told.value)
    assert f"caused by the alarm {ALARM} at 2026-11-21 12:03:00 UTC: 2 out of the last 3 datapoints" in str(told.value)
    assert f"endpoint configuration: declared {name('2')}, live {name('1')}" in str(told.value)


def test_an_alarm_that_stood_before_is_named_too(sagemaker: SageMaker) -> None:
    sagemaker.add("2")
    found = verdict(sagemaker, state_of("2"), CloudWatch(standing=[ALARM]))
    assert [(cause.alarm, cause.reason) for cause in found.causes] == [(ALARM, "stands")]


def test_a_rollback_without_an_alarm_gives_sagemakers_reason_or_says_that_there_is_none(sagemaker: SageMaker) -> None:
    sagemaker.add("2")
    with pytest.raises(NotAsDeclaredError, match="no alarm tripped meanwhile, and SageMaker gives no reason"):
        refuse([verdict(sagemaker, state_of("2"))])
    sagemaker.serve("1", FailureReason="did not pass the ping health check")
    with pytest.raises(NotAsDeclaredError, match="SageMaker says: did not pass the ping health check"):
        refuse([verdict(sagemaker, state_of("2"))])


def test_a_failed_endpoint_is_a_failure_with_its_reason(sagemaker: SageMaker) -> None:
    sagemaker.serve("1", EndpointStatus="Failed", FailureReason="no capacity")
    found = verdict(sagemaker, state_of("1"))
    assert [str(mismatch) for mismatch in found.mismatches] == ["status: declared InService, live Failed"]
    assert not found.rolled_back
    with pytest.raises(NotAsDeclaredError, match="not as declared\n  SageMaker says: no capacity"):
        refuse([found])


def test_a_release_that_was_never_deployed_is_a_failure(sagemaker: SageMaker) -> None:
    empty = {"version": 3, "deployment": {"resources": []}}
    (mismatch,) = verdict(sagemaker, empty).mismatches
    assert "never deployed" in mismatch.live
    del sagemaker.endpoints[ENDPOINT]
    (mismatch,) = verdict(sagemaker, state_of("1")).mismatches
    assert str(mismatch) == f"endpoint: declared {ENDPOINT}, live none"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"Image": "other"}, "variant main: image"),
        ({"ModelDataUrl": "s3://other/model.tar.gz"}, "variant main: artefact"),
        ({"Environment": {"RELEASE": "other", "MODEL_MANIFEST_SHA256": "c" * 64}}, "variant main: release"),
        ({"Environment": {"RELEASE": RELEASE.package}}, "variant main: manifest"),
    ],
)
def test_another_container_than_released_is_told(sagemaker: SageMaker, change: dict[str, Any], what: str) -> None:
    sagemaker.models[name("1")]["PrimaryContainer"] |= change
    assert [mismatch.what for mismatch in verdict(sagemaker, state_of("1")).mismatches] == [what]


def test_another_digest_than_released_is_told(sagemaker: SageMaker) -> None:
    other = f"registry/serving@sha256:{'f' * 64}"
    sagemaker.endpoints[ENDPOINT]["ProductionVariants"][0]["DeployedImages"] = [{"ResolvedImage": other}]
    (mismatch,) = verdict(sagemaker, state_of("1")).mismatches
    assert (mismatch.what, mismatch.declared) == ("variant main: image digest", DIGEST)
    del sagemaker.endpoints[ENDPOINT]["ProductionVariants"][0]["DeployedImages"]
    assert verdict(sagemaker, state_of("1")).ok, "the model's own image has been compared"


def test_variants_weights_and_machines_are_compared(sagemaker: SageMaker) -> None:
    sagemaker.configurations[name("1")]["ProductionVariants"][0]["InstanceType"] = "ml.c5.large"
    sagemaker.endpoints[ENDPOINT]["ProductionVariants"][0] |= {"CurrentWeight": 0.5, "DesiredInstanceCount": 0}
    found = {mismatch.what for mismatch in verdict(sagemaker, state_of("1")).mismatches}
    assert found == {"variant main: weight", "variant main: instance type", "variant main: instances"}
    sagemaker.endpoints[ENDPOINT]["ProductionVariants"][0]["VariantName"] = "shadow"
    assert [mismatch.what for mismatch in verdict(sagemaker, state_of("1")).mismatches] == ["variants"]


def test_a_serverless_endpoint_is_compared_by_memory_and_concurrency(sagemaker: SageMaker) -> None:
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    sagemaker.endpoints[ENDPOINT]["ProductionVariants"][0] |= {
        "CurrentServerlessConfig": serverless,
        "DesiredInstanceCount": None,
    }
    declared = {"memorySizeInMb": 2048, "maxConcurrency": 5}
    assert verdict(sagemaker, state_of("1", serverlessConfig=declared)).ok
    other = state_of("1", serverlessConfig={**declared, "maxConcurrency": 9})
    (mismatch,) = verdict(sagemaker, other).mismatches
    assert str(mismatch) == "variant main: concurrency: declared 9, live 5"
