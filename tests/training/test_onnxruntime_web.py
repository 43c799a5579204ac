"""Every format of a trained artefact answers in a browser as it does in ONNX Runtime here."""

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from models.schema import graph_file
from models.spec import ModelSpec
from tests.installed import CHROMIUM, ONNXRUNTIME_WEB, need
from training.dataset import Rows, read_rows
from training.onnx_model import OnnxModel
from training.train import train

PAGE = """<!doctype html><title>onnxruntime-web</title><script type="module">
import * as ort from "./ort.wasm.bundle.min.mjs";
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = location.origin + "/";
window.predict = async ({file, values, rows, times}) => {
  const session = await ort.InferenceSession.create(file, {executionProviders: ["wasm"]});
  const numbers = Float32Array.from(values, value => value ?? NaN);
  const features = new ort.Tensor("float32", numbers, [rows, values.length / rows]);
  let answer = await session.run({features});
  const begun = performance.now();
  for (let run = 1; run < times; run++) answer = await session.run({features});
  const milliseconds = (performance.now() - begun) / Math.max(times - 1, 1);
  const {dims, type, data} = answer.prediction;
  return {dims, type, predictions: Array.from(data), milliseconds};
};
</script>"""
pytestmark = pytest.mark.slow

TYPES = {".mjs": "text/javascript", ".wasm": "application/wasm", ".html": "text/html"}


class Handler(http.server.SimpleHTTPRequestHandler):
    def guess_type(self, path: Any) -> str:
        return TYPES.get(Path(path).suffix, "application/octet-stream")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Nothing: the browser's own complaints are looked at."""


@pytest.fixture(scope="module")
def artefact(tmp_path_factory: pytest.TempPathFactory, spec: ModelSpec) -> Any:
    need(CHROMIUM, ONNXRUNTIME_WEB)
    from tests.training.conftest import Job  # noqa: PLC0415 - a conftest's class, needed once a module

    job = Job(tmp_path_factory.mktemp("web"), spec)
    job.export()
    train(job.configure().container())
    return job


@pytest.fixture(scope="module")
def page(artefact: Any, browser: Browser) -> Iterator[Page]:
    folder = artefact.base / "model"
    for file in ONNXRUNTIME_WEB.iterdir():
        shutil.copy(file, folder)
    (folder / "index.html").write_text(PAGE)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{server.server_port}"
    page = browser.new_page()
    complaints: list[str] = []
    hosts: set[str] = set()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: hosts.add("/".join(asked.url.split("/")[:3])))
    page.goto(f"{origin}/index.html")
    page.wait_for_function("window.predict !== undefined")
    yield page
    page.close()
    server.shutdown()
    server.server_close()
    assert complaints == []
    assert hosts == {origin}


@pytest.fixture(scope="module")
def rows(artefact: Any, spec: ModelSpec) -> Rows:
    return read_rows(artefact.base / "input/data/dataset", "validation", spec)


def asked(page: Page, file: str, features: np.ndarray, times: int = 1) -> dict[str, Any]:
    values = [None if np.isnan(value) else float(value) for value in features.ravel()]
    return page.evaluate("window.predict", {"file": file, "values": values, "rows": len(features), "times": times})


@pytest.mark.parametrize("form", ["fp32", "int8", "fp16"])
def test_a_browser_predicts_what_the_server_does(page: Page, artefact: Any, rows: Rows, form: Any) -> None:
    file = graph_file(form)
    features = np.concatenate([rows.features, np.full((1, rows.features.shape[1]), np.nan, dtype=np.float32)])
    found = asked(page, file, features)
    expected = OnnxModel(artefact.base / "model" / file).predict(features)
    assert (found["type"], found["dims"]) == ("float32", [len(features)])
    assert np.allclose(found["predictions"], expected, rtol=1e-5, atol=0)
    one = asked(page, file, features[:1], times=200)
    assert np.allclose(one["predictions"], expected[:1], rtol=1e-5, atol=0)
    print(f"{file} in Chromium: {one['milliseconds'] * 1000:.0f} µs for one row")
