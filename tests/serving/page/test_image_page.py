"""A model of images: its page without a browser, and in one."""

import io
import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openapi_spec_validator
import pytest
from jsonschema import Draft202012Validator
from PIL import Image
from playwright.sync_api import Page, expect
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from serving.core.service import Service
from serving.page import docs, openapi, page, pages
from serving.page.status import status

Open = Callable[..., Page]
LOOKS = [(size, scheme) for size in ("desktop", "phone") for scheme in ("light", "dark")]


def picture(light: int = 230) -> bytes:
    """A PNG of one colour."""
    file = io.BytesIO()
    Image.new("RGB", (320, 240), (light, light, light)).save(file, "PNG")
    return file.getvalue()


def test_the_page_takes_a_picture_and_only_its_own_may_be_shown(image_service: Service) -> None:
    html = page.render(image_service).decode()
    assert 'type="file"' in html
    assert "32 × 24 pixels, colour" in html
    assert "What if" not in html
    policy = pages.PAGES["/"](image_service).headers["content-security-policy"]
    assert "img-src 'self' blob:;" in policy


def test_only_a_model_of_images_may_show_what_is_not_the_servers(service: Service) -> None:
    assert "blob:" not in pages.PAGES["/"](service).headers["content-security-policy"]


def test_the_document_describes_labels_and_their_probabilities(image_service: Service) -> None:
    document = openapi.document(image_service)
    openapi_spec_validator.validate(document)
    content = document["paths"]["/invocations"]["post"]["requestBody"]["content"]
    assert {"image/png", "image/jpeg"} <= set(content)
    assert "application/json" not in content
    answer = json.loads(image_service.answer(picture(), "image/png").body)
    registry: Any = Registry().with_resource("doc", Resource.from_contents(document, DRAFT202012))
    Draft202012Validator({"$ref": "doc#/components/schemas/Predictions"}, registry=registry).validate(answer)
    assert answer["predictions"] == ["bright"]
    assert "image/png" in docs.render(image_service).decode()


def test_drift_of_images_is_not_claimed(image_service: Service) -> None:
    assert "no measure of drift for images" in status(image_service, {})["drift"]["reason"]


@pytest.mark.slow
@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_choose_drop_and_paste(
    open_page: Open,
    image_url: str,
    findings: Callable[[Page], list[str]],
    screenshot: Callable[[Page, str], None],
    size: str,
    scheme: str,
) -> None:
    page = open_page(at=image_url, size=size, scheme=scheme)
    assert findings(page) == []
    page.locator("#picture").set_input_files({"name": "sky.png", "mimeType": "image/png", "buffer": picture()})
    expect(page.locator("#prediction")).to_have_text("bright")
    expect(page.locator("#place")).to_have_text("90.2 % likely.")
    expect(page.locator("#labels tbody tr")).to_have_count(3)
    expect(page.locator("#preview")).to_be_visible()
    screenshot(page, f"image-{size}-{scheme}")
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    hand_over(page, "drop", picture(10))
    expect(page.locator("#prediction")).to_have_text("dark and stormy")
    hand_over(page, "paste", picture(230))
    expect(page.locator("#prediction")).to_have_text("bright")


@pytest.mark.slow
def test_what_is_no_picture_is_said(open_page: Open, image_url: str) -> None:
    page = open_page(at=image_url, expected="Failed to load resource")
    error = page.locator("#picture-error")
    page.locator("#picture").set_input_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no"})
    expect(error).to_have_text("notes.txt is no PNG or JPEG picture.")
    page.locator("#picture").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": b"no picture"})
    expect(error).to_contain_text("the body is no PNG image that can be read")
    big = {"name": "a.png", "mimeType": "image/png", "buffer": b"x" * 1_000_001}
    page.locator("#picture").set_input_files(big)  # pyright: ignore[reportArgumentType]
    expect(error).to_contain_text("at most 1000000")
    page.locator("#picture").set_input_files({"name": "sky.png", "mimeType": "image/png", "buffer": picture()})
    expect(page.locator("#prediction")).to_have_text("bright")
    expect(error).to_be_hidden()


@pytest.mark.slow
@pytest.mark.parametrize(("language", "code"), [("curl", "#curl"), ("Python", "#python")])
def test_the_request_shown_sends_the_file(
    open_page: Open, image_url: str, tmp_path: Path, language: str, code: str
) -> None:
    page = open_page(at=image_url)
    name = "it's a sky.png"
    (tmp_path / name).write_bytes(picture())
    page.locator("#picture").set_input_files(tmp_path / name)
    expect(page.locator("#prediction")).to_have_text("bright")
    text = page.locator(code).text_content() or ""
    command = [sys.executable, "-c", text] if language == "Python" else shlex.split(text.replace("\\\n", " "))
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=tmp_path).stdout
    assert "bright" in answer


def hand_over(page: Page, kind: str, content: bytes) -> None:
    """Drop or paste a picture, as a browser tells of it."""
    page.evaluate(
        """([kind, bytes]) => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], "sky.png", { type: "image/png" }));
          const event = kind === "drop"
            ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
            : new ClipboardEvent("paste", { clipboardData: data, bubbles: true });
          (kind === "drop" ? document.getElementById("drop") : document).dispatchEvent(event);
        }""",
        [kind, list(content)],
    )
