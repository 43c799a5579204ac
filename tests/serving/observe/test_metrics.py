"""The Observer, as Prometheus sees it: every figure is read back from the text of /metrics."""

import mmap
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from models.spec import ModelSpec
from monitoring.baseline import NumberDistribution
from serving.core.call import Call
from serving.core.errors import RequestError
from serving.core.job import Answered, Job
from serving.core.service import Service, load_service
from serving.observe import shared
from serving.observe.metrics import Observer
from serving.page.refusals import REFUSALS

Answer = Callable[..., tuple[list[Job], Answered]]


def samples(observer: Observer, name: str, **labels: str) -> dict[tuple[str, ...], float]:
    """Values of the samples called `name` that have `labels`, by their other labels' values."""
    return {
        tuple(value for key, value in sorted(sample.labels.items()) if key not in {*labels, "model"}): sample.value
        for family in text_string_to_metric_families(observer.text().decode())
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    }


def total(observer: Observer, name: str, **labels: str) -> float:
    return sum(samples(observer, name, **labels).values())


@pytest.fixture
def observer(memory: mmap.mmap) -> Observer:
    return Observer(memory, 0)


def count(observer: Observer, service: Service, batch: tuple[list[Job], Answered], queued: float = 0.001) -> None:
    jobs, answered = batch
    observer.batch(service, jobs, answered, [queued] * len(jobs), 0.0001 * len(jobs))


def test_a_batch_is_counted_whole(
    observer: Observer, service: Service, answered: Answer, car: dict[str, object]
) -> None:
    count(observer, service, answered([car], [car, car]))
    assert total(observer, "serving_requests_total", status="200") == 2
    assert total(observer, "serving_rows_total") == 3
    assert total(observer, "serving_batch_requests_bucket", le="2.0") == 1
    assert total(observer, "serving_batch_requests_bucket", le="1.0") == 0
    assert total(observer, "serving_batch_rows_sum") == 3
    assert total(observer, "serving_sampled_rows_total") == 3
    assert total(observer, "serving_input_rows_total", feature="origin", bin="Japan") == 3
    assert total(observer, "serving_prediction_rows_total") == 3


def test_stages_are_timed(observer: Observer, service: Service, answered: Answer, car: dict[str, object]) -> None:
    jobs, outcome = answered([car], [car])
    observer.batch(service, jobs, outcome, [0.0031, 0.3], 0.0002)
    counts = {stage: total(observer, "serving_stage_seconds_count", stage=stage) for stage in ("queue", "decode")}
    assert counts == {"queue": 2, "decode": 2}
    assert total(observer, "serving_stage_seconds_sum", stage="queue") == pytest.approx(0.3029)
    assert total(observer, "serving_stage_seconds_bucket", stage="queue", le="0.005") == 1
    assert total(observer, "serving_stage_seconds_bucket", stage="queue", le="0.5") == 2
    model = outcome.inference_seconds + outcome.encode_seconds
    assert total(observer, "serving_stage_seconds_sum", stage="total") == pytest.approx(0.3031 + 2 * model)


def test_an_answer_that_is_an_error_is_not_counted_as_a_success(
    observer: Observer, service: Service, answered: Answer, car: dict[str, object]
) -> None:
    jobs, outcome = answered([car], [car])
    failed = Answered(
        [outcome.answers[0], RequestError("internal", "no finite number", status=500)],
        np.array([20, np.nan], dtype=np.float32),
        outcome.inference_seconds,
        outcome.encode_seconds,
    )
    count(observer, service, (jobs, failed))
    assert total(observer, "serving_requests_total", status="200") == 1
    assert total(observer, "serving_requests_total", status="500") == 1
    assert total(observer, "serving_rejections_total", reason="internal") == 1


def test_refusals_are_told_apart_and_their_number_of_series_is_bounded(observer: Observer) -> None:
    observer.refused(400, "wrong_type")
    for number in range(500):
        observer.refused(600 + number, f"made-up-{number}")
    assert total(observer, "serving_rejections_total", reason="wrong_type") == 1
    assert total(observer, "serving_rejections_total", reason="other") == 500
    assert total(observer, "serving_requests_total", status="other") == 500
    assert len(samples(observer, "serving_rejections_total")) == 2


def test_workers_are_summed_and_a_restarted_one_goes_on(memory: mmap.mmap, service: Service, answered: Answer) -> None:
    first, second = Observer(memory, 0), Observer(memory, 1)
    count(first, service, answered())
    count(second, service, answered())
    second.connections(1)
    again = Observer(memory, 1)
    assert total(again, "serving_open_connections") == 0, "a dead worker's connections are gone"
    count(again, service, answered())
    assert total(first, "serving_requests_total", status="200") == 3
    assert total(first, "serving_accepted_connections_total") == 1


def test_no_counter_goes_down_when_a_model_is_swapped(
    observer: Observer, base_dir: Path, service: Service, answered: Answer
) -> None:
    count(observer, service, answered())
    newer = load_service(base_dir / "model", None, "group/4")
    observer.serving(newer)
    count(observer, newer, answered())
    count(observer, newer, answered())
    assert samples(observer, "serving_requests_total") == {(service.release, "200", ""): 1, ("group/4", "200", ""): 2}
    count(observer, service, answered())
    assert [labels[1] for labels in samples(observer, "serving_model_info")] == ["group/4"], "what was under way"
    observer.serving(service)
    count(observer, service, answered())
    assert total(observer, "serving_requests_total", release=service.release) == 3, "a rollback goes on counting"
    assert [labels[1] for labels in samples(observer, "serving_model_info")] == [service.release]


def test_metrics_do_not_grow_with_every_release(observer: Observer, base_dir: Path, answered: Answer) -> None:
    batch = answered()
    sizes: list[int] = []
    for number in range(8):
        newer = load_service(base_dir / "model", None, f"group/{number}")
        observer.serving(newer)
        count(observer, newer, batch)
        sizes.append(observer.text().count(b"\n"))
    told = {labels[0] for labels in samples(observer, "serving_requests_total", status="200")}
    assert told == {"group/4", "group/5", "group/6", "group/7"}
    assert {labels[1] for labels in samples(observer, "serving_prediction_rows_total")} == {"group/7"}
    assert sizes[-1] == sizes[3]
    observer.serving(load_service(base_dir / "model", None, "group/0"))
    assert total(observer, "serving_requests_total", release="group/0") == 1, "a rollback goes on counting"


def test_variants_are_counted_apart(observer: Observer, service: Service, answered: Answer) -> None:
    jobs, outcome = answered()
    observer.batch(service, jobs, outcome, [0.001], 0.0001, variant="a")
    observer.batch(service, jobs, outcome, [0.001], 0.0001, variant="b")
    observer.refused(400, "no_rows", variant="b")
    assert samples(observer, "serving_requests_total", variant="a") == {(service.release, "200"): 1}
    assert total(observer, "serving_rejections_total", variant="b", reason="no_rows") == 1


def test_of_a_personal_field_only_missing_values_are_told(
    observer: Observer, answered: Answer, make_artefact: Callable[..., Path], spec: ModelSpec, tmp_path: Path
) -> None:
    columns = tuple(column.model_copy(update={"pii": column.name in ("weight", "mpg")}) for column in spec.columns)
    folder = make_artefact(tmp_path / "model", spec=spec.model_copy(update={"columns": columns}))
    personal = load_service(folder, None, "group/9")
    observer.serving(personal)
    jobs, outcome = answered()
    observer.batch(personal, jobs, outcome, [0.001], 0.0001)
    rows = float(len(outcome.predictions))
    for name, labels in (("serving_input_rows_total", {"feature": "weight"}), ("serving_prediction_rows_total", {})):
        found = samples(observer, name, release="group/9", variant="", **labels)
        assert found == {("any",): rows, ("null",): 0.0}
    assert samples(observer, "serving_input_baseline_share", feature="weight") == {}
    assert samples(observer, "serving_prediction_baseline_share") == {}
    assert samples(observer, "serving_input_baseline_share", feature="displacement")
    observer.shadow(
        personal, outcome, Answered(outcome.answers, outcome.predictions + np.float32(2), 0.0, 0.0), "shadow"
    )
    assert total(observer, "serving_shadow_difference_sum") == pytest.approx(2 * rows, rel=1e-3)


def test_a_shadow_is_held_against_the_answer(observer: Observer, service: Service, answered: Answer) -> None:
    _, outcome = answered()
    prediction = service.artefact.baseline.prediction
    assert isinstance(prediction, NumberDistribution)
    deviation = prediction.standard_deviation
    shifted = Answered(outcome.answers, outcome.predictions + np.float32(0.2 * deviation), 0.0, 0.0)
    observer.shadow(service, outcome, shifted, "shadow")
    observer.shadow(service, outcome, None, "shadow")
    assert total(observer, "serving_shadow_requests_total", variant="shadow") == 2
    assert total(observer, "serving_shadow_failures_total", variant="shadow") == 1
    assert total(observer, "serving_shadow_difference_sum") == pytest.approx(0.2, rel=1e-3)
    assert total(observer, "serving_shadow_difference_bucket", le="0.1") == 0
    assert total(observer, "serving_shadow_difference_bucket", le="0.3") == 1


def test_workers_tell_of_themselves(memory: mmap.mmap) -> None:
    now = 100.0
    observer = Observer(memory, 1, clock=lambda: now)
    observer.tick(ready=True)
    observer.queue_depth(3)
    observer.cancelled()
    observer.swapped(succeeded=False)
    observer.cells[shared.RESTARTS], observer.cells[shared.STUCK] = 3, 1
    now = 102.5
    assert samples(observer, "serving_worker_ready") == {("1",): 1}
    assert samples(observer, "serving_worker_heartbeat_age_seconds") == {("1",): 2.5}
    assert samples(observer, "serving_worker_restarts_total", worker="1") == {("died",): 2, ("stuck",): 1}
    assert samples(observer, "serving_worker_resident_memory_bytes")["1",] > 10e6
    assert total(observer, "serving_queue_depth") == 3
    assert total(observer, "serving_cancelled_requests_total") == 1
    assert samples(observer, "serving_model_swaps_total") == {("done",): 0, ("refused",): 1}
    assert observer.cells[shared.PID] == os.getpid()


def test_a_slot_that_was_ready_once_is_not_loading(memory: mmap.mmap) -> None:
    first, second = Observer(memory, 0), Observer(memory, 1)
    first.tick(ready=True)
    second.tick(ready=False)
    assert (first.loading(), second.loading()) == ([1], [1])
    second.tick(ready=True)
    assert first.loading() == []
    assert Observer(memory, 1).loading() == []


def test_processor_time_goes_on_over_a_restart(memory: mmap.mmap) -> None:
    shared.region(memory, 0)[shared.CPU_SECONDS] = 1000
    observer = Observer(memory, 0)
    observer.tick(ready=True)
    assert 1000 <= total(observer, "serving_worker_cpu_seconds_total") < 1001


def test_limits_of_the_specification_are_told(observer: Observer, service: Service) -> None:
    observer.serving(service)
    assert total(observer, "serving_limit_p99_seconds") == service.spec.monitor.p99_latency_ms / 1000
    assert total(observer, "serving_limit_error_ratio") == service.spec.monitor.error_rate
    assert total(observer, "serving_limit_drift_psi") == service.spec.monitor.drift_psi
    assert total(observer, "serving_input_baseline_share", feature="origin") == pytest.approx(1)


def test_a_busy_worker_counts_a_sample_of_the_values(memory: mmap.mmap, service: Service, answered: Answer) -> None:
    now = 0.0
    observer = Observer(memory, 0, clock=lambda: now)
    batch = answered()
    for _ in range(10):
        count(observer, service, batch)
    assert (total(observer, "serving_rows_total"), total(observer, "serving_sampled_rows_total")) == (10, 1)
    now = 1.0
    count(observer, service, batch)
    assert total(observer, "serving_sampled_rows_total") == 2


def test_what_is_only_tried_out_is_no_traffic(observer: Observer, service: Service, answered: Answer) -> None:
    jobs, outcome = answered()
    trial = Call(b"", "application/json; purpose=trial")
    observer.batch(service, jobs, outcome, [0.001], 0.0001, calls=[trial])
    assert (total(observer, "serving_rows_total"), total(observer, "serving_sampled_rows_total")) == (1, 0)
    observer.batch(service, jobs, outcome, [0.001], 0.0001, calls=[Call(b"", "application/json")])
    assert (total(observer, "serving_rows_total"), total(observer, "serving_sampled_rows_total")) == (2, 1)


def test_openmetrics_is_given_to_who_asks_for_it(observer: Observer, service: Service, answered: Answer) -> None:
    count(observer, service, answered())
    content_type, body = observer.exposition("application/openmetrics-text; version=1.0.0, text/plain;q=0.5")
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    families = {family.name: family for family in parse_openmetrics(body.decode())}
    assert families["serving_requests"].samples[0].value == 1
    assert observer.exposition("*/*")[0].startswith("text/plain; version=0.0.4")


def test_labels_are_escaped(memory: mmap.mmap, base_dir: Path, answered: Answer) -> None:
    observer = Observer(memory, 0)
    odd = load_service(base_dir / "model", None, 'a"b\\c\nd')
    count(observer, odd, answered())
    assert [labels[0] for labels in samples(observer, "serving_rows_total")] == ['a"b\\c\nd']


def test_every_refusal_is_told_apart(observer: Observer) -> None:
    refusals = [(status, code) for status, (_, codes) in REFUSALS.items() for code in codes]
    for status, code in refusals:
        observer.refused(status, code)
    assert {reason for reason, _, _ in samples(observer, "serving_rejections_total")} == {code for _, code in refusals}
    assert {status for _, status, _ in samples(observer, "serving_requests_total")} == {
        "200",
        *(str(status) for status in REFUSALS),
    }
