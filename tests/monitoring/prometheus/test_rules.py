"""Rules and dashboard against what the server really exports, and by Prometheus' own tool."""

import mmap
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from models.schema import Column
from monitoring.baseline import Baseline, describe_numbers
from monitoring.grafana.panels import ROWS
from serving.observe import shared
from serving.observe.distributions import distributions_of
from serving.observe.metrics import Observer
from serving.observe.series import Description, claim
from tests.installed import PROMTOOL, need

ROOT = Path(__file__).resolve().parents[3]
RULES = ROOT / "monitoring" / "prometheus" / "serving.rules.yml"
TRIALS = ROOT / "tests" / "monitoring" / "prometheus" / "serving.test.yml"


@pytest.fixture(scope="module")
def metrics() -> bytes:
    """What a container with two workers and one model exports."""
    memory: mmap.mmap = shared.allocate(2)
    observer = Observer(memory, 0)
    Observer(memory, 1).tick(ready=True)
    observer.tick(ready=True)
    numbers = describe_numbers("prediction", np.arange(100.0))
    feature = describe_numbers("weight", np.arange(100.0))
    baseline = Baseline.model_validate(
        {"model": "m", "rows": 100, "features": [feature], "target": numbers, "prediction": numbers, "sample": ()}
    )
    target = Column(name="mpg", type="float")
    description = Description(
        model="m", p99_seconds=0.2, error_rate=0.01, drift_psi=0.2, distributions=distributions_of(baseline, target)
    )
    series = claim(observer.cells, description)
    series.activate(0)
    series.counts[:] = 1
    return observer.text()


@pytest.fixture(scope="module")
def exported(metrics: bytes) -> set[str]:
    families = text_string_to_metric_families(metrics.decode())
    return {sample.name for family in families for sample in family.samples}


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


RECORDED = {rule["record"] for rule in rules() if "record" in rule}
ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}
QUERIES = [query for row in ROWS.values() for panel in row for query in panel.queries.values()]


def names(query: str) -> set[str]:
    return set(re.findall(r"\bserving[_:][a-z0-9_:]+", query))


@pytest.mark.parametrize("query", [*QUERIES, *(rule["expr"] for rule in rules())])
def test_every_metric_that_is_asked_for_is_exported(query: str, exported: set[str]) -> None:
    asked = names(query)
    assert asked
    assert asked <= exported | RECORDED


def test_every_alert_has_a_runbook_that_names_it() -> None:
    for name, rule in ALERTS.items():
        assert f"`{name}`" in (ROOT / rule["annotations"]["runbook"]).read_text(encoding="utf-8")
    runbooks = (ROOT / "docs" / "runbooks").glob("*.md")
    named = {
        name for runbook in runbooks for name in re.findall(r"`(Serving\w+)`", runbook.read_text(encoding="utf-8"))
    }
    assert named == set(ALERTS), "every alert that a runbook names is one"


def test_every_alert_is_tried() -> None:
    document = yaml.safe_load(TRIALS.read_text(encoding="utf-8"))
    tried = {
        alert["alertname"] for test in document["tests"] for alert in test["alert_rule_test"] if alert["exp_alerts"]
    }
    assert tried == set(ALERTS)


def promtool(*arguments: str, given: bytes = b"") -> str:
    need(PROMTOOL)
    done = subprocess.run([PROMTOOL, *arguments], input=given, capture_output=True, check=False, cwd=ROOT)
    output = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, output
    return output


def test_without_promtool_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(globals(), "PROMTOOL", tmp_path / "promtool")
    with pytest.raises(pytest.skip.Exception, match="no promtool; get it with: tests/install_packages"):
        promtool("--version")


@pytest.mark.slow
def test_promtool_finds_the_rules_right() -> None:
    assert f"SUCCESS: {len(rules())} rules found" in promtool("check", "rules", "--lint-fatal", str(RULES))


@pytest.mark.slow
def test_promtool_tries_the_alerts() -> None:
    assert "SUCCESS" in promtool("test", "rules", str(TRIALS))


@pytest.mark.slow
def test_promtool_finds_the_metrics_right(metrics: bytes) -> None:
    """It reads the format and complains of names that are against the conventions."""
    assert promtool("check", "metrics", given=metrics) == ""


@pytest.mark.slow
def test_promtool_finds_the_dashboards_queries_right(tmp_path: Path) -> None:
    """Grafana's variables replaced, each query is a rule."""
    recorded = [
        {"record": f"panel:query:{number}", "expr": query.replace("$__rate_interval", "5m").replace("$", "")}
        for number, query in enumerate(QUERIES)
    ]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": recorded}]}), encoding="utf-8")
    assert f"SUCCESS: {len(QUERIES)} rules found" in promtool("check", "rules", str(file))


def test_the_document_names_every_metric(metrics: bytes) -> None:
    document = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    families = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in text_string_to_metric_families(metrics.decode())
    }
    assert set(re.findall(r"`(serving_[a-z0-9_]+)`", document)) == families
