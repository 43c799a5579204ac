"""An invocation is published by variant and by configuration, in the units that SageMaker uses."""

from rehearsal.aws.cloudwatch.samples import ENDPOINTS, MetricKey, Samples, publish_invocation, published

VARIANT = {"EndpointName": "samples", "VariantName": "main"}


def test_an_invocation_is_published_under_both_sets_of_dimensions() -> None:
    publish_invocation(
        account_id="1",
        region="eu-west-1",
        endpoint="samples",
        variant="main",
        configuration="c1",
        status=503,
        model_s=0.25,
        overhead_s=0.001,
    )
    for dimensions in (VARIANT, {**VARIANT, "EndpointConfigName": "c1"}):
        found = {
            name: [
                sample.value
                for sample in published.since(MetricKey.of("1", "eu-west-1", ENDPOINTS, name, dimensions), 0)
            ]
            for name in ("Invocations", "Invocation4XXErrors", "Invocation5XXErrors", "ModelLatency", "OverheadLatency")
        }
        assert found == {
            "Invocations": [1],
            "Invocation4XXErrors": [0],
            "Invocation5XXErrors": [1],
            "ModelLatency": [250_000],
            "OverheadLatency": [1000],
        }


def test_samples_are_found_by_time_and_region() -> None:
    samples, key = Samples(), MetricKey.of("1", "eu-west-1", "N", "m", {})
    samples.record({key: 1.0}, at=10)
    samples.record({key: 2.0}, at=20)
    assert [sample.value for sample in samples.since(key, 15)] == [2.0]
    assert [(found, len(kept)) for found, kept in samples.of_region("1", "eu-west-1")] == [(key, 2)]
    assert list(samples.of_region("1", "us-east-1")) == []
