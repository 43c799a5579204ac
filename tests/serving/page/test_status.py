import json

import pytest

from monitoring.baseline import PersonalDistribution
from serving.core.service import Service
from serving.page import pages
from serving.page.status import MINIMUM_ROWS, status


def as_trained(service: Service, times: int = 1) -> dict[str, list[int]]:
    """Counts as the training data have them, a bin of missing values at the end."""
    counts: dict[str, list[int]] = {}
    for feature in service.artefact.baseline.features:
        assert feature.kind != "personal"
        known = list(feature.counts.values()) if feature.kind == "category" else list(feature.quantiles.counts)
        counts[feature.name] = [times * count for count in known] + [0]
    return counts


def test_drift_that_nobody_counts_is_not_measured(service: Service) -> None:
    drift = status(service, None)["drift"]
    assert (drift["state"], drift["fields"]) == ("not_measured", [])
    assert "does not count" in drift["reason"]


def test_too_few_rows_are_no_measurement(service: Service) -> None:
    counts = {name: [1] + [0] * (len(bins) - 1) for name, bins in as_trained(service).items()}
    drift = status(service, counts)["drift"]
    assert (drift["state"], drift["rows"]) == ("not_measured", 1)
    assert f"1 of the {MINIMUM_ROWS} rows" in drift["reason"]


def test_inputs_as_in_training_have_not_drifted(service: Service) -> None:
    drift = status(service, as_trained(service, 3))["drift"]
    assert (drift["state"], drift["rows"], drift["limit"]) == ("measured", 360, 0.2)
    assert [field["psi"] for field in drift["fields"]] == pytest.approx([0] * 7, abs=1e-9)


def test_a_field_that_moved_is_named(service: Service) -> None:
    counts = as_trained(service)
    counts["weight"] = [0] * (len(counts["weight"]) - 2) + [120, 0]
    drifted = {field["name"]: field["drifted"] for field in status(service, counts)["drift"]["fields"]}
    assert {name for name, moved in drifted.items() if moved} == {"weight"}


def test_a_personal_field_is_not_measured(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = as_trained(service) | {"weight": [120, 0]}
    baseline = service.artefact.baseline
    features = tuple(
        PersonalDistribution(name=part.name) if part.name == "weight" else part for part in baseline.features
    )
    baseline = baseline.model_copy(update={"features": features})
    monkeypatch.setattr(service, "artefact", service.artefact.model_copy(update={"baseline": baseline}))
    drift = status(service, counts)["drift"]
    found = {field["name"]: (field["psi"], field["drifted"]) for field in drift["fields"]}
    assert found.pop("weight") == (None, False)
    assert [psi for psi, _ in found.values()] == pytest.approx([0] * 6, abs=1e-9)


def test_counts_over_other_bins_are_not_compared(service: Service) -> None:
    counts = as_trained(service) | {"origin": [120]}
    (origin,) = [field for field in status(service, counts)["drift"]["fields"] if field["name"] == "origin"]
    assert (origin["psi"], origin["drifted"]) == (None, False)


def test_the_status_names_the_model_that_answers_and_is_never_kept(service: Service) -> None:
    page = pages.state(service, None)
    document = json.loads(page.body)
    assert (document["status"], document["manifest_sha256"]) == ("ready", service.artefact.manifest_sha256)
    assert document["release"].endswith("/3")
    assert page.headers["cache-control"] == "no-store"
