from collections.abc import Mapping

import pytest

from models.schema import Gate
from models.spec import ModelSpec
from serving.core.artefact import Artefact
from serving.core.service import Service
from serving.page.card import card, facts


def with_metrics(artefact: Artefact, metrics: Mapping[str, float]) -> Artefact:
    return artefact.model_copy(update={"manifest": artefact.manifest.model_copy(update={"metrics": dict(metrics)})})


def test_metrics_are_shown_in_their_unit_and_nothing_else_is(service: Service) -> None:
    figures = {"validation_mae": 2.251, "validation_mape": 0.0913, "r2": 0.9, "best_epoch": 30.0}
    html = card(with_metrics(service.artefact, figures))
    for text in ("2.25 mi/gal</td>", "9.13 %</td>", "<td>0.9</td>"):
        assert text in html
    assert "epoch" not in html


def test_an_artefact_without_figures_says_so(service: Service) -> None:
    assert "The artefact holds no figures." in card(with_metrics(service.artefact, {}))


@pytest.mark.parametrize(
    ("gate", "text"),
    [
        (Gate(metric="mae", maximum=2.2), "Mean absolute error at most 2.2 mi/gal"),
        (Gate(metric="r2", minimum=0.8), "R² at least 0.8"),
        (Gate(metric="mape", better_than_baseline_by=0.18), "at least 18 % better than that of a linear model"),
        (Gate(metric="mae", better_than_released_by=-0.02), "at most 2 % worse than that of the released model"),
    ],
)
def test_conditions_of_a_release_are_in_words(service: Service, spec: ModelSpec, gate: Gate, text: str) -> None:
    changed = service.artefact.model_copy(update={"spec": spec.model_copy(update={"gates": (gate,)})})
    assert f"{text}</li>" in card(changed)


def test_the_card_names_inputs_and_expected_behaviour(service: Service) -> None:
    html = card(service.artefact)
    assert "Prediction goes down as weight goes up, for at least 75 % of rows" in html
    assert "<td>a whole number from 1000 to 8000 lb</td><td>1612 to 4984 lb, mean" in html
    assert "<td>2.5 %</td>" in html


def test_what_the_manifest_lacks_is_not_claimed(service: Service) -> None:
    manifest = service.artefact.manifest.model_copy(update={"git_commit": "", "created_at": ""})
    html = facts(service.artefact.model_copy(update={"manifest": manifest}), "")
    assert "<dt>Release</dt><dd>not named</dd>" in html
    assert "Code" not in html
    assert "Trained" not in html
