"""Every form and every refusal that serving documents, asked of the real serving core."""

import json

from delivery.acceptance.contract import contract, forms, refusals
from models.spec import ModelSpec
from tests.delivery.acceptance.conftest import Deployed


def test_the_serving_container_keeps_its_contract(deployed: Deployed) -> None:
    checks = contract(*deployed())
    assert [f"{check.name}: {check.said}" for check in checks if not check.ok] == []
    assert len(checks) >= 20


def test_a_refusal_that_is_not_made_is_a_failure(deployed: Deployed) -> None:
    asker, model = deployed()
    narrower = json.loads(model.spec.to_json())
    narrower["serving"]["max_rows"] = 10
    spec = ModelSpec.from_json(json.dumps(narrower))
    checks = contract(asker, type(model)(spec=spec, baseline=model.baseline, release=model.release))
    (failed,) = [check for check in checks if not check.ok]
    assert failed.name == "rows too many"
    assert failed.said.startswith("expected 413 too_many_rows, status 200")


def test_what_a_model_has_no_column_for_is_not_asked(deployed: Deployed) -> None:
    _, model = deployed()
    document = json.loads(model.spec.to_json())
    document["features"] = ["displacement"]
    document["behaviour"] = []
    spec = ModelSpec.from_json(json.dumps(document))
    names = {refusal.name for refusal in refusals(spec, {"displacement": 100.0})}
    assert "displacement: out of range" in names
    assert not any("category" in name for name in names)
    assert len(list(forms(spec, {"displacement": 100.0}))) == 7
