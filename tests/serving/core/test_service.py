import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from serving.core.service import Service, load_service
from serving.core.session import PredictionError


def test_the_answer_says_what_it_is(service: Service, car: dict[str, object]) -> None:
    answer = service.answer(json.dumps([car, car]).encode(), "application/json")
    document = json.loads(answer.body)
    assert answer.rows == 2
    assert document["predictions"] == pytest.approx([35.61, 35.61], abs=1e-4)
    assert document["model"] == "auto-mpg"
    assert (document["target"], document["unit"]) == ("mpg", "mi/gal")
    assert document["release"].endswith("drivetrain-local-auto-mpg/3")


def test_csv_in_csv_out(service: Service) -> None:
    answer = service.answer(b"4,97,88,2130,14.5,1971,Japan\n4,97,,2130,14.5,1971,Japan\n", "text/csv", "text/csv")
    assert answer.content_type == "text/csv"
    assert [float(line) for line in answer.body.decode().splitlines()] == pytest.approx([35.61, 35.25], abs=1e-4)


def test_a_model_that_answers_nonsense_is_not_served(
    tmp_path: Path, make_artefact: Callable[..., Path], make_graph: Callable[..., bytes]
) -> None:
    broken = make_graph(np.full(7, np.inf, dtype=np.float32))
    with pytest.raises(PredictionError, match="not a finite number"):
        load_service(make_artefact(tmp_path / "model", broken), None, "")
