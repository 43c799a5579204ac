"""The page in a real browser, as a person uses it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not CHROMIUM.exists() and os.environ.get("CI") != "true",
        reason="no chromium: apt-get install -y chromium",
    ),
]
SIZES = {"desktop": (1280, 900), "phone": (360, 740)}


@pytest.fixture(scope="module")
def url(start_server: Callable[..., Any], base_dir: Path) -> str:
    process = start_server(base_dir, RELEASE="arn:aws:sagemaker:eu-west-1:111111111111:model-package/group/3")
    process.wait_until_ready()
    return process.url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(params=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, url: str) -> Iterator[Page]:
    """The page at one size; at the end, nothing may have been complained of or asked of another host."""
    width, height = SIZES[request.param]
    scheme = "dark" if request.param == "phone" else "light"
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-US")
    context.set_default_timeout(10_000)
    page = context.new_page()
    complaints: list[str] = []
    hosts: set[str] = set()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: hosts.add("/".join(asked.url.split("/")[:3])))
    page.goto(url)
    yield page
    context.close()
    assert complaints == []
    assert hosts == {url}


def test_fill_in_press_predict_see_the_number(page: Page) -> None:
    for name, value in {"cylinders": "4", "displacement": "129", "horsepower": "", "weight": "2130"}.items():
        page.locator(f"#field-{name}").fill(value)
    page.get_by_label("Acceleration").fill("14.5")
    page.get_by_label("Model year").fill("1971")
    page.get_by_label("Japan").check()
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#prediction")).to_have_text("35.25")
    expect(page.locator("#place")).to_contain_text("% of the 120 training rows")
    expect(page.locator("#marker")).to_be_visible()
    expect(page.locator("#curl")).to_contain_text('"weight":2130')
    expect(page.locator("#result-title")).to_be_in_viewport()


def test_an_example_shows_what_was_recorded(page: Page) -> None:
    page.locator(".example").nth(1).click()
    expect(page.locator("#actual")).to_contain_text("Recorded for this example: 23.")
    expect(page.locator("#prediction")).not_to_have_text("–")


def test_a_wrong_value_is_said_at_its_field(page: Page) -> None:
    weight = page.locator("#field-weight")
    weight.fill("9000")
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#error-weight")).to_contain_text("8000")
    expect(weight).to_have_attribute("aria-invalid", "true")
    expect(weight).to_be_focused()
    expect(page.locator("#prediction")).to_have_text("–")


def test_a_value_beyond_the_training_data_is_pointed_out(page: Page) -> None:
    page.locator("#field-horsepower").fill("450")
    page.locator("#field-horsepower").blur()
    expect(page.locator("#error-horsepower")).to_contain_text("Outside the")


def test_the_keyboard_is_enough(page: Page) -> None:
    page.locator("#field-model_year").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#marker")).to_be_visible()


def test_nothing_sticks_out_sideways(page: Page) -> None:
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#marker")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
