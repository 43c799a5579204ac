import mmap
from collections.abc import Callable

from serving.core.job import Answered, Job
from serving.core.service import Service
from serving.observe.inputs import input_counts
from serving.observe.metrics import Observer
from serving.page.status import status

Answer = Callable[..., tuple[list[Job], Answered]]


def test_all_workers_counts_add_up_over_the_baselines_bins(
    memory: mmap.mmap, service: Service, answered: Answer, car: dict[str, object]
) -> None:
    for slot, rows in ((0, [car]), (1, [car, {**car, "origin": "USA", "horsepower": None}])):
        jobs, outcome = answered(rows)
        Observer(memory, slot).batch(service, jobs, outcome, [0.001], 0.001)
    counts = input_counts(memory, service.artefact.manifest_sha256)
    assert list(counts) == list(service.spec.features)
    assert counts["origin"] == [1, 0, 2, 0]
    assert counts["horsepower"][-1] == 1
    assert {sum(bins) for bins in counts.values()} == {3}
    assert status(service, counts)["drift"]["rows"] == 3


def test_bins_are_those_that_drift_is_measured_over(
    memory: mmap.mmap, service: Service, answered: Answer, car: dict[str, object]
) -> None:
    observer = Observer(memory, 0)
    jobs, outcome = answered([car] * 200)
    observer.batch(service, jobs, outcome, [0.001], 0.001)
    drift = status(service, observer.input_counts(service))["drift"]
    assert (drift["state"], drift["rows"]) == ("measured", 200)
    assert all(field["psi"] is not None and field["drifted"] for field in drift["fields"])


def test_another_models_counts_are_not_told(
    memory: mmap.mmap, service: Service, answered: Answer, car: dict[str, object]
) -> None:
    jobs, outcome = answered([car])
    Observer(memory, 0).batch(service, jobs, outcome, [0.001], 0.001)
    assert input_counts(memory, "0" * 64) == {}
