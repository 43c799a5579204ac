import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.schema import Column
from models.spec import ModelSpec
from serving.core.service import Service, load_service
from serving.observe.capture.record import Captured, line


def written(service: Service, values: Any, rows: int = 1, **changes: Any) -> dict[str, Any]:
    given = {
        "variant": "main",
        "request_id": "r-1",
        "time": 1_795_262_400.0,
        "body": b"",
        "content_type": "",
        "predictions": np.arange(rows, dtype=np.float32) + np.float32(17.1),
    } | changes
    text = line(Captured(service=service, rows=rows, values=values, **given), lambda: None)
    assert text.endswith(b"\n")
    assert text.count(b"\n") == 1
    return json.loads(text)


ROW = [4.0, 97.1, float("nan"), 2130.0, 14.5, 1971.0, 2.0]


def test_a_line_is_as_sagemaker_writes_it(service: Service) -> None:
    """The keys and the nesting of https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html."""
    event = written(service, ROW)
    assert set(event) == {"captureData", "eventMetadata", "eventVersion", "drivetrain"}
    assert event["eventVersion"] == "0"
    for side, mode in (("endpointInput", "INPUT"), ("endpointOutput", "OUTPUT")):
        part = event["captureData"][side]
        assert set(part) == {"observedContentType", "mode", "data", "encoding"}
        assert (part["mode"], part["encoding"]) == (mode, "JSON")
    assert event["eventMetadata"]["inferenceTime"] == "2026-11-21T12:00:00Z"
    assert event["eventMetadata"]["inferenceId"] == "r-1"
    assert len(event["eventMetadata"]["eventId"]) == 36
    about = event["drivetrain"]
    assert (about["schema"], about["model"], about["variant"]) == (1, "auto-mpg", "main")
    assert about["release"].endswith("auto-mpg/3")


@pytest.mark.parametrize("values", [ROW, np.array([ROW], dtype=np.float32)])
def test_rows_are_as_the_caller_would_write_them(service: Service, values: Any) -> None:
    event = written(service, values)
    assert json.loads(event["captureData"]["endpointInput"]["data"]) == {
        "rows": [
            {
                "cylinders": 4,
                "displacement": 97.1,
                "horsepower": None,
                "weight": 2130,
                "acceleration": 14.5,
                "model_year": 1971,
                "origin": "Japan",
            }
        ]
    }
    assert json.loads(event["captureData"]["endpointOutput"]["data"]) == {"predictions": [17.1]}


def test_what_was_captured_can_be_asked_again(service: Service) -> None:
    """300 rows are written in several parts, which come together as one body that the server takes."""
    rows = [[*ROW[:3], 2000.0 + number, *ROW[4:]] for number in range(300)]
    event = written(service, np.array(rows, dtype=np.float32), rows=300)
    data = event["captureData"]["endpointInput"]["data"].encode()
    job = service.decode(data, "application/json")
    assert np.asarray(job.values).reshape(300, -1)[:, 3].tolist() == [row[3] for row in rows]


def with_personal_columns(spec: ModelSpec, names: set[str]) -> ModelSpec:
    columns = tuple(column.model_copy(update={"pii": column.name in names}) for column in spec.columns)
    return spec.model_copy(update={"columns": columns})


@pytest.mark.parametrize("personal", [{"origin", "weight"}, {"cylinders"}])
def test_personal_columns_are_left_out(
    tmp_path: Path, spec: ModelSpec, make_artefact: Callable[..., Path], personal: set[str]
) -> None:
    service = load_service(make_artefact(tmp_path / "model", spec=with_personal_columns(spec, personal)), None, "")
    event = written(service, ROW)
    (row,) = json.loads(event["captureData"]["endpointInput"]["data"])["rows"]
    assert set(row) == set(spec.features) - personal


def test_where_every_column_is_personal_rows_are_empty(
    tmp_path: Path, spec: ModelSpec, make_artefact: Callable[..., Path]
) -> None:
    everything = with_personal_columns(spec, set(spec.features))
    service = load_service(make_artefact(tmp_path / "model", spec=everything), None, "")
    assert written(service, ROW)["captureData"]["endpointInput"]["data"] == '{"rows":[{}]}'


@pytest.mark.parametrize("personal", [False, True])
def test_an_image_is_kept_as_it_came_unless_it_is_personal(service: Service, spec: ModelSpec, personal: bool) -> None:
    picture = Column(name="picture", type="image", height=2, width=2, channels=1, pii=personal)
    sky = Column(name="sky", type="category", categories=("clear", "cloudy"))
    changes = {"columns": (picture, sky), "features": ("picture",), "target": "sky"}
    of_images = object.__new__(Service)
    of_images.__dict__.update(artefact=service.artefact, spec=spec.model_copy(update=changes), release="")
    event = written(of_images, (), rows=1, body=b"\x89PNG", content_type="image/png", predictions=np.zeros(1))
    part = event["captureData"]["endpointInput"]
    assert (part["observedContentType"], part["encoding"], part["mode"]) == ("image/png", "BASE64", "INPUT")
    assert part["data"] == ("" if personal else "iVBORw==")


def test_a_predicted_category_is_kept_by_name(service: Service, spec: ModelSpec) -> None:
    columns = tuple(
        Column(name="mpg", type="category", categories=("low", "high")) if column.name == "mpg" else column
        for column in spec.columns
    )
    labelled = object.__new__(Service)
    changed = spec.model_copy(update={"columns": columns})
    labelled.__dict__.update(artefact=service.artefact, spec=changed, release="")
    event = written(labelled, ROW, predictions=np.array([1.0], dtype=np.float32))
    assert json.loads(event["captureData"]["endpointOutput"]["data"]) == {"predictions": ["high"]}
