"""The samples that the rehearsal's own services publish, as AWS publishes them, each under its dimensions.

https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html. moto keeps its own list of what
PutMetricData sent for ever; this one holds the newest of each metric, so that a benchmark does not fill the memory.
"""

import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile

_KEPT = 20_000
ENDPOINTS = "AWS/SageMaker"


@dataclass(frozen=True, kw_only=True)
class MetricKey:
    """One metric of one account and region."""

    account_id: str
    region: str
    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]

    @staticmethod
    def of(account_id: str, region: str, namespace: str, name: str, dimensions: Mapping[str, str]) -> "MetricKey":
        """The key of a metric with these dimensions."""
        return MetricKey(
            account_id=account_id,
            region=region,
            namespace=namespace,
            name=name,
            dimensions=frozenset(dimensions.items()),
        )


@dataclass(frozen=True, slots=True)
class Sample:
    """One value; `at` in seconds since the epoch."""

    at: float
    value: float


class Samples:
    """The newest samples of each metric. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[MetricKey, deque[Sample]] = {}

    def record(self, keys: Mapping[MetricKey, float], at: float | None = None) -> None:
        """Add one sample to each metric, all of the same moment."""
        moment = time.time() if at is None else at
        with self._lock:
            for key, value in keys.items():
                self._kept.setdefault(key, deque(maxlen=_KEPT)).append(Sample(moment, value))

    def since(self, key: MetricKey, at: float) -> list[Sample]:
        """The samples of a metric from `at` on."""
        with self._lock:
            newest_first = takewhile(lambda sample: sample.at >= at, reversed(self._kept.get(key, ())))
            return list(newest_first)[::-1]

    def of_region(self, account_id: str, region: str) -> Iterable[tuple[MetricKey, list[Sample]]]:
        """Every metric of a region with what is kept of it."""
        with self._lock:
            found = [(key, list(kept)) for key, kept in self._kept.items()]
        return [(key, kept) for key, kept in found if (key.account_id, key.region) == (account_id, region)]


published = Samples()
"""Of this server: moto asks for metrics by account and region alone, so that they have to be found from there."""


def publish_invocation(
    *,
    account_id: str,
    region: str,
    endpoint: str,
    variant: str,
    configuration: str,
    status: int,
    model_s: float,
    overhead_s: float,
) -> None:
    """What SageMaker publishes of one InvokeEndpoint; latencies are in microseconds, an absent error counts 0.

    Once for the variant, and once for the fleet of this configuration of it
    (https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html).
    """
    values = {
        "Invocations": 1.0,
        "Invocation4XXErrors": float(400 <= status < 500),
        "Invocation5XXErrors": float(status >= 500),
        "ModelLatency": model_s * 1e6,
        "OverheadLatency": overhead_s * 1e6,
    }
    dimensions = {"EndpointName": endpoint, "VariantName": variant}
    published.record(
        {
            MetricKey.of(account_id, region, ENDPOINTS, name, under): value
            for name, value in values.items()
            for under in (dimensions, {**dimensions, "EndpointConfigName": configuration})
        }
    )
