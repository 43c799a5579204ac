"""The real serving core of a small artefact, behind the face of SageMaker's runtime, in this process."""

import io
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from delivery.acceptance.asking import Asker
from delivery.acceptance.released import ReleasedModel
from models.release import Release
from serving.core.errors import RequestError
from serving.core.service import load_service
from tests.serving.conftest import BIAS, WEIGHTS, graph, write_artefact
from training.specs import spec_named

PACKAGE = "arn:aws:sagemaker:eu-west-1:111111111111:model-package/drivetrain-local-auto-mpg/7"
RELEASE = Release(
    package=PACKAGE,
    artefact="s3://bucket/model.tar.gz",
    artefact_sha256="0" * 64,
    manifest_sha256="0" * 64,
    image=f"registry/serving@sha256:{'0' * 64}",
    snapshot="1",
    commit="0" * 40,
    metrics={},
)


class Runtime:
    """`sagemaker-runtime`: refusals of the container are ModelErrors that carry its status and text."""

    def __init__(self, folder: Path, release: str, pause_s: float) -> None:
        self.meta = SimpleNamespace(endpoint_url="http://127.0.0.1:9")
        self._service = load_service(folder, None, release)
        self._pause_s = pause_s

    def invoke_endpoint(self, *, EndpointName: str, Body: str | bytes, ContentType: str, Accept: str) -> dict[str, Any]:
        assert EndpointName == "cars"
        time.sleep(self._pause_s)
        body = Body.encode() if isinstance(Body, str) else Body
        try:
            answer = self._service.answer(body, ContentType, Accept)
        except RequestError as error:
            told: Any = {
                "Error": {"Code": "ModelError", "Message": str(error)},
                "OriginalStatusCode": error.status,
                "OriginalMessage": json.dumps(error.document()),
            }
            raise ClientError(told, "InvokeEndpoint") from error
        return {"Body": io.BytesIO(answer.body), "ContentType": answer.content_type}


Deployed = Callable[..., tuple[Asker, ReleasedModel]]


@pytest.fixture
def deployed(tmp_path: Path) -> Deployed:
    """`deployed(weights, bias, release, pause_s, personal)`: a model behind an endpoint, and what its release says.

    `personal` are the names of columns that hold personal data.
    """

    def make(
        weights: Any = WEIGHTS,
        bias: float = BIAS,
        release: str = PACKAGE,
        pause_s: float = 0.0,
        personal: Sequence[str] = (),
    ) -> tuple[Asker, ReleasedModel]:
        spec = spec_named("auto-mpg")
        columns = tuple(column.model_copy(update={"pii": column.name in personal}) for column in spec.columns)
        spec = spec.model_copy(update={"columns": columns})
        folder = write_artefact(tmp_path / "model", graph(np.asarray(weights, dtype=np.float32), bias), spec)
        runtime = Runtime(folder, release, pause_s)
        artefact = runtime._service.artefact
        model = ReleasedModel(spec=artefact.spec, baseline=artefact.baseline, release=RELEASE)
        return Asker(runtime=runtime, endpoint="cars"), model

    return make
