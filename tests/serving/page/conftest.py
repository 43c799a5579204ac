"""The page in real headless Chromium: one server, one browser, and a page that must never complain."""

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from onnx import TensorProto, helper, numpy_helper
from playwright.sync_api import Browser, Page

from models.spec import ModelSpec
from monitoring.baseline import Baseline, describe_numbers
from serving.core.service import Service, load_service

SIZES = {"desktop": (1280, 900), "phone": (360, 740)}
PATIENCE_MS = 60_000
SCREENSHOTS = Path(__file__).resolve().parents[3] / "build" / "screenshots"

Open = Callable[..., Page]
Findings = Callable[[Page], list[str]]


@pytest.fixture(scope="session")
def url(start_server: Callable[..., Any], base_dir: Path) -> str:
    """A real server of the small artefact."""
    process = start_server(base_dir, RELEASE="arn:aws:sagemaker:eu-west-1:111111111111:model-package/group/3")
    process.wait_until_ready()
    return process.url


IMAGE_SPEC = """
name = "weather"
title = "Weather on a picture"
description = "Tells dark skies from bright ones."
target = "sky"
key = ["name"]
features = ["picture"]
training = { instance_type = "ml.m5.large" }
gates = [{ metric = "mae", maximum = 1 }]
serving = { instance_type = "ml.m5.large", max_rows = 8 }

[columns]
name = { type = "string" }
picture = { type = "image", height = 24, width = 32, channels = 3 }
sky = { type = "category", categories = ["dark and stormy", "bright", "neither, as far as anybody can tell"] }
"""


def _image_graph() -> bytes:
    """features [N, 3, 24, 32] → probabilities [N, 3]: dark, bright, and always 0.0 for neither."""
    nodes = [
        helper.make_node("ReduceMean", ["features"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "axis"], ["bright"]),
        helper.make_node("Sub", ["one", "bright"], ["dark"]),
        helper.make_node("Sub", ["bright", "bright"], ["neither"]),
        helper.make_node("Concat", ["dark", "bright", "neither"], ["prediction"], axis=1),
    ]
    constants = [
        numpy_helper.from_array(np.array([1], dtype=np.int64), "axis"),
        numpy_helper.from_array(np.array(1, dtype=np.float32), "one"),
    ]
    graph = helper.make_graph(
        nodes,
        "sky",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", 3, 24, 32])],
        [helper.make_tensor_value_info("prediction", TensorProto.FLOAT, ["N", 3])],
        constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10).SerializeToString()


@pytest.fixture(scope="session")
def image_base(tmp_path_factory: pytest.TempPathFactory, make_manifest: Callable[..., None]) -> Path:
    """A base directory as /opt/ml with the artefact of a model of images."""
    base = tmp_path_factory.mktemp("images")
    folder = base / "model"
    folder.mkdir()
    places = describe_numbers("sky", np.array([0.0, 1.0, 1.0, 2.0]))
    baseline = Baseline(model="weather", rows=4, features=(), target=places, prediction=places, sample=())
    baseline.save(folder / "baseline.json")
    (folder / "model.onnx").write_bytes(_image_graph())
    spec = ModelSpec.model_validate(tomllib.loads(IMAGE_SPEC))
    (folder / "spec.json").write_text(spec.to_json(), encoding="utf-8")
    make_manifest(folder, model="weather", metrics={})
    return base


@pytest.fixture(scope="session")
def image_service(image_base: Path) -> Service:
    return load_service(image_base / "model", None, "group/1")


@pytest.fixture(scope="session")
def image_url(start_server: Callable[..., Any], image_base: Path) -> str:
    """A real server of a model of images."""
    process = start_server(image_base, RELEASE="group/1")
    process.wait_until_ready()
    return process.url


def _is_own(address: str, at: str) -> bool:
    """Whether an address is of the server that the page came from, or a picture in the browser's own memory."""
    return address.removeprefix("blob:").startswith(f"{at}/")


@pytest.fixture
def open_page(browser: Browser, url: str) -> Iterator[Open]:
    """Open pages; at the end, nothing may have been complained of or asked of another host.

    `expected` are beginnings of complaints that a test provokes.
    """
    complaints: list[str] = []
    elsewhere: set[str] = set()
    provoked: list[str] = []
    contexts: list[Any] = []

    def open_page(
        path: str = "/",
        *,
        size: str = "desktop",
        scheme: str = "light",
        at: str = url,
        expected: str = "",
        **options: Any,
    ) -> Page:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # pyright: ignore[reportArgumentType]
            locale="en-US",
            **options,
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        provoked.extend([expected] if expected else [])
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: elsewhere.add(asked.url) if not _is_own(asked.url, at) else None)
        page.goto(at + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [text for text in complaints if not any(text.startswith(start) for start in provoked)] == []
    assert elsewhere == set()


@pytest.fixture(scope="session")
def findings() -> Findings:
    """What axe finds on a page, with every detail opened."""

    def find(page: Page) -> list[str]:
        page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        violations = Axe().run(page).response["violations"]
        return [f"{found['id']}: {node['target']}" for found in violations for node in found["nodes"]]

    return find


@pytest.fixture(scope="session")
def screenshot() -> Callable[[Page, str], None]:
    """Keep the whole page as a picture in build/screenshots."""

    def take(page: Page, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    return take
