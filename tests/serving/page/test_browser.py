"""The page in a real browser, as a person uses it."""

import json
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, expect

from models.spec import ModelSpec

pytestmark = pytest.mark.slow

Open = Callable[..., Page]
Findings = Callable[[Page], list[str]]


@pytest.fixture(params=["desktop-light", "phone-dark"])
def page(request: pytest.FixtureRequest, open_page: Open) -> Page:
    """The page with its first answer and its first curve, at one size."""
    size, scheme = request.param.split("-")
    page = open_page(size=size, scheme=scheme)
    expect(page.locator("#marker")).to_be_visible()
    expect(page.locator("#whatif-reading")).not_to_have_text("")
    return page


def look_again(page: Page) -> None:
    """The page asks for the state at once when it is looked at again."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def explore(page: Page, field: str, other: str) -> None:
    """Have the curve of `field` drawn anew. The one that is shown may be that field's, so another's is drawn first."""
    for name, label in ((other, other.capitalize()), (field, field.capitalize())):
        page.locator("#whatif-field").select_option(name)
        expect(page.locator("#whatif-plot svg")).to_have_attribute("aria-label", re.compile(f"over {label}:"))


def fill_in(page: Page) -> None:
    for name, value in {"cylinders": "4", "displacement": "129", "horsepower": "", "weight": "2130"}.items():
        page.locator(f"#field-{name}").fill(value)
    page.get_by_label("Acceleration").fill("14.5")
    page.locator("#field-model_year").fill("1971")
    page.get_by_label("Japan").check()


def test_fill_in_press_predict_see_the_number(page: Page) -> None:
    fill_in(page)
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#prediction")).to_have_text("35.25")
    expect(page.locator("#place")).to_contain_text("% of the 120 training rows")
    expect(page.locator("#result-title")).to_be_in_viewport()


def test_the_answer_follows_the_fields_without_a_button(page: Page) -> None:
    fill_in(page)
    expect(page.locator("#prediction")).to_have_text("35.25")
    page.locator("#field-weight").fill("2330")
    expect(page.locator("#prediction")).to_have_text("34.25")


def test_the_number_of_the_page_can_be_told_to_be_that_of_the_server(page: Page) -> None:
    fill_in(page)
    page.locator("#field-weight").fill("2131")
    expect(page.locator("#prediction")).to_have_attribute("title", re.compile(r"^35\.24"))
    expect(page.locator("#prediction")).to_have_text("35.25")
    row = page.evaluate("() => JSON.parse(document.getElementById('curl').textContent.match(/-d '(.*?)'/s)[1])")
    (given,) = httpx.post(page.url + "invocations", json=row, timeout=60).json()["predictions"]
    assert len(str(given)) > len("35.25")
    expect(page.locator("#prediction")).to_have_attribute("title", str(given))
    inside = page.locator("#whatif-table tbody td[title]")
    expect(inside).not_to_have_count(0)
    page.locator(".example").nth(1).click()
    recorded = page.locator(".example").nth(1).get_attribute("data-actual")
    expect(page.locator("#actual")).to_have_text(f"Recorded for this row: {recorded} mi/gal")


def test_a_sample_row_shows_what_was_recorded(page: Page) -> None:
    page.locator(".example").nth(1).click()
    expect(page.locator("#actual")).to_contain_text("Recorded for this row: 23.")
    expect(page.locator(".example").nth(1)).to_have_attribute("aria-pressed", "true")
    page.locator("#field-weight").fill("3000")
    expect(page.locator("#actual")).to_be_hidden()


def test_a_wrong_value_is_said_at_its_field(page: Page) -> None:
    before = page.locator("#prediction").text_content()
    weight = page.locator("#field-weight")
    weight.fill("9000")
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#error-weight")).to_contain_text("8000")
    expect(weight).to_have_attribute("aria-invalid", "true")
    expect(weight).to_be_focused()
    expect(page.locator("#prediction")).to_have_text(before or "")
    expect(page.locator("#place")).to_contain_text("The answer for the values before")


def test_a_value_beyond_the_training_data_is_pointed_out(page: Page) -> None:
    page.locator("#field-horsepower").fill("450")
    page.locator("#field-horsepower").blur()
    expect(page.locator("#error-horsepower")).to_contain_text("Outside the")


def test_influence_is_what_the_model_answers_with_one_field_changed(page: Page, url: str) -> None:
    fill_in(page)
    expect(page.locator("#prediction")).to_have_text("35.25")
    expect(page.locator("#influence li").first.locator(".name")).to_have_text("Weight")
    row = {
        "cylinders": 4, "displacement": 129, "horsepower": None, "weight": 2130,
        "acceleration": 14.5, "model_year": 1971, "origin": "Japan",
    }  # fmt: skip
    for entry in page.locator("#influence li").all():
        name = (entry.locator(".name").text_content() or "").lower().replace(" ", "_")
        versus = (entry.locator(".versus").text_content() or "").split(" instead of ")
        if len(versus) < 2:
            continue
        typical = versus[1] if name == "origin" else float(versus[1])
        asked = httpx.post(f"{url}/invocations", json=[row, {**row, name: typical}], timeout=60)
        predictions = asked.json()["predictions"]
        shown = float((entry.locator(".effect").text_content() or "").replace("−", "-"))
        assert shown == pytest.approx(predictions[0] - predictions[1], abs=0.006), name


def test_the_curve_is_read_off_by_the_keyboard(page: Page) -> None:
    fill_in(page)
    expect(page.locator("#prediction")).to_have_text("35.25")
    explore(page, "weight", "displacement")
    expect(page.locator("#whatif-reading")).to_have_text("2130 lb → 35.25 mi/gal")
    slider = page.locator("#whatif-value")
    slider.focus()
    page.keyboard.press("End")
    expect(page.locator("#whatif-reading")).to_contain_text("5490 lb → ")
    expect(slider).to_have_attribute("aria-valuetext", "5490 lb gives 18.45 mi/gal")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#field-weight")).to_have_value("5490")
    expect(page.locator("#prediction")).to_have_text("18.45")


def test_the_curve_has_a_table_and_marks_the_training_range(page: Page) -> None:
    explore(page, "weight", "displacement")
    expect(page.locator("#whatif-plot .trained")).to_have_count(1)
    page.get_by_text("As a table").click()
    table = page.locator("#whatif-table")
    expect(table.locator("thead th").first).to_have_text("Weight (lb)")
    expect(table.locator("tbody tr").first).to_contain_text("outside")
    expect(table.get_by_text("(your value)")).to_have_count(1)
    assert table.locator("tbody tr").count() >= 49


def test_a_category_has_a_point_each(page: Page) -> None:
    page.locator("#whatif-field").select_option("origin")
    expect(page.locator("#whatif-plot .stem")).to_have_count(3)
    expect(page.locator("#whatif-plot .trained")).to_have_count(0)
    page.locator("#whatif-value").focus()
    page.keyboard.press("End")
    page.get_by_role("button", name="Use this value").click()
    expect(page.locator("#field-origin, [name=origin]:checked")).to_have_count(1)
    expect(page.locator("#whatif-use")).to_be_disabled()


def test_the_curve_is_one_request(page: Page) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or "") if request.method == "POST" else None)
    with page.expect_response("**/invocations"):
        page.locator("#whatif-field").select_option("displacement")
    expect(page.locator("#whatif-reading")).to_contain_text("in³")
    assert [len(json.loads(body)) for body in sent if len(json.loads(body)) > 1][:2] in ([49], [50])


@pytest.mark.parametrize(("language", "code"), [("curl", "#curl"), ("Python", "#python")])
def test_the_request_shown_is_the_one_to_run(page: Page, language: str, code: str) -> None:
    fill_in(page)
    expect(page.locator("#prediction")).to_have_text("35.25")
    page.get_by_role("tab", name=language).click()
    expect(page.locator(code)).to_be_visible()
    text = page.locator(code).text_content() or ""
    command = [sys.executable, "-c", text] if language == "Python" else shlex.split(text.replace("\\\n", " "))
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    prediction = float(answer) if language == "Python" else json.loads(answer)["predictions"][0]
    assert prediction == pytest.approx(35.25, abs=0.01)


def test_tabs_are_moved_between_by_arrows(page: Page) -> None:
    page.get_by_role("tab", name="curl").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Python")).to_be_focused()
    expect(page.get_by_role("tabpanel", name="Python")).to_be_visible()
    expect(page.locator("#curl")).to_be_hidden()


def test_the_keyboard_is_enough(page: Page) -> None:
    page.locator("#field-model_year").focus()
    page.keyboard.press("Tab")
    before = page.locator("#prediction").text_content() or ""
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#prediction")).not_to_have_text(before)


def test_nothing_sticks_out_sideways(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_drift_is_measured_after_a_hundred_rows(page: Page, url: str) -> None:
    row = {
        "cylinders": 4, "displacement": 129, "horsepower": None, "weight": 2130,
        "acceleration": 14.5, "model_year": 1971, "origin": "Japan",
    }  # fmt: skip
    # A sample of what comes in quick succession is counted: the first may come too soon after what others asked.
    counted, deadline = 0, time.monotonic() + 60
    while counted < 1000:
        assert time.monotonic() < deadline
        assert httpx.post(f"{url}/invocations", json=[row] * 1000, timeout=60).status_code == 200
        counted = httpx.get(f"{url}/status", timeout=60).json()["drift"]["rows"]
    page.reload()
    expect(page.locator("#drift-summary")).to_contain_text("fields drifted, by ")
    expect(page.locator("#drift tbody tr")).to_have_count(7)
    expect(page.locator("#drift")).to_contain_text("drifted")


def test_a_refusal_and_a_server_that_is_gone_are_said(open_page: Open) -> None:
    page = open_page(expected="Failed to load resource")
    expect(page.locator("#marker")).to_be_visible()

    def refuse(route: Route) -> None:
        error = {"code": "overloaded", "message": "too many requests wait", "field": None, "row": None}
        route.fulfill(status=503, content_type="application/json", body=json.dumps({"error": error}))

    page.route("**/invocations", refuse)
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#form-error")).to_have_text("too many requests wait")
    page.unroute("**/invocations")
    page.route("**/*", lambda route: route.abort())
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#form-error")).to_have_text("The server does not answer. Try again.")
    look_again(page)
    expect(page.locator("#notice")).to_have_text("The server does not answer. The page goes on trying.")
    expect(page.locator("#readiness-word")).to_have_text("No answer")
    page.unroute("**/*")
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#form-error")).to_be_hidden()
    look_again(page)
    expect(page.locator("#notice")).to_be_hidden()


def test_another_release_is_pointed_out_without_a_reload(open_page: Open) -> None:
    page = open_page()

    def newer(route: Route) -> None:
        content = route.fetch().json()
        route.fulfill(json=content | {"release": "group/4"})

    page.route("**/status", newer)
    expect(page.locator("#notice")).to_have_text("Another release answers now. Reload the page to see it.")


def test_files_are_asked_for_once(open_page: Open) -> None:
    page = open_page()
    expect(page.locator("#marker")).to_be_visible()
    asked: list[tuple[str, int]] = []
    page.on("response", lambda response: asked.append((response.url, response.status)))
    page.goto(page.url)
    expect(page.locator("#marker")).to_be_visible()
    sizes = page.evaluate("performance.getEntriesByType('resource').map((e) => [e.name, e.transferSize])")
    assert [name for name, size in sizes if "/static/" in name and size > 0] == []


@pytest.fixture(scope="module")
def narrow_url(
    start_server: Callable[..., Any],
    make_artefact: Callable[..., Path],
    spec: ModelSpec,
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """A real server of a model that takes 1,500 bytes a request, weights of seven digits, a personal horsepower."""
    changes: dict[str, dict[str, object]] = {"weight": {"maximum": 1234567.0}, "horsepower": {"pii": True}}
    columns = tuple(column.model_copy(update=changes.get(column.name, {})) for column in spec.columns)
    serving = spec.serving.model_copy(update={"max_body_bytes": 1500})
    base = tmp_path_factory.mktemp("narrow")
    make_artefact(base / "model", spec=spec.model_copy(update={"columns": columns, "serving": serving}))
    process = start_server(base, RELEASE="group/1")
    process.wait_until_ready()
    return process.url


def test_a_server_that_takes_few_bytes_gets_few_at_a_time(open_page: Open, narrow_url: str) -> None:
    page = open_page(at=narrow_url)
    expect(page.locator("#whatif-reading")).to_contain_text("→")
    sizes: list[int] = []
    page.on("request", lambda asked: sizes.append(len(asked.post_data_buffer or b"")) if asked.post_data else None)
    page.locator("#field-weight").fill("2500")
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#influence li").filter(has_text="2500 lb")).to_have_count(1)
    expect(page.locator("#form-error")).to_be_hidden()
    assert len(sizes) > 2
    assert 1000 < max(sizes) <= 1500


def test_the_curve_of_a_personal_field_is_drawn_without_its_training_range(open_page: Open, narrow_url: str) -> None:
    page = open_page(at=narrow_url)
    page.locator("#whatif-field").select_option("horsepower")
    expect(page.locator("#whatif-plot svg")).to_have_attribute("aria-label", re.compile("Horsepower"))
    expect(page.locator("#whatif-plot .line")).to_have_count(1)
    expect(page.locator("#whatif-plot .trained")).to_have_count(0)
    page.get_by_text("As a table").click()
    expect(page.locator("#whatif-table tbody tr").first).to_contain_text("not shown")


@pytest.fixture(scope="module")
def personal_url(
    start_server: Callable[..., Any],
    make_artefact: Callable[..., Path],
    spec: ModelSpec,
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """A real server of a model of which everything is personal, the target too."""
    columns = tuple(column.model_copy(update={"pii": True}) for column in spec.columns)
    base = tmp_path_factory.mktemp("personal")
    make_artefact(base / "model", spec=spec.model_copy(update={"columns": columns}))
    process = start_server(base, RELEASE="group/1")
    process.wait_until_ready()
    return process.url


def test_a_model_of_which_all_is_personal_answers_and_explains(
    open_page: Open, personal_url: str, findings: Findings
) -> None:
    page = open_page(at=personal_url)
    expect(page.locator("#prediction")).not_to_have_text("–")
    expect(page.locator("#place")).to_have_text(
        "Where it lies in the training data is not shown: the target is personal."
    )
    expect(page.locator("#influence li")).to_have_count(7)
    expect(page.locator("#influence li").filter(has_text="over what the field takes")).not_to_have_count(0)
    expect(page.locator("#whatif-plot .line")).to_have_count(1)
    page.locator("button.example").first.click()
    expect(page.locator("#prediction")).not_to_have_text("–")
    expect(page.locator("#actual")).to_be_hidden()
    assert findings(page) == []


def test_an_entered_number_is_taken_up_to_the_limit_and_shown_as_it_is(open_page: Open, narrow_url: str) -> None:
    page = open_page(at=narrow_url)
    page.locator("#field-weight").fill("1234567")
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#influence li").filter(has_text="1234567 lb instead of")).to_have_count(1)
    page.locator("#whatif-field").select_option("weight")
    expect(page.locator("#whatif-reading")).to_contain_text("1234567 lb → ")
    page.get_by_text("As a table").click()
    expect(page.locator("#whatif-table").get_by_text("1234567 (your value)")).to_have_count(1)


def test_a_server_that_takes_few_rows_gets_few_at_a_time(open_page: Open) -> None:
    page = open_page()
    expect(page.locator("#whatif-reading")).to_contain_text("→")
    sizes: list[int] = []

    def smaller(route: Route) -> None:
        route.fulfill(body=route.fetch().text().replace("&quot;maxRows&quot;: 1000", "&quot;maxRows&quot;: 7"))

    def counted(route: Route) -> None:
        sizes.append(len(json.loads(route.request.post_data or "")))
        route.continue_()

    page.route(page.url, smaller)
    page.route("**/invocations", counted)
    page.reload()
    expect(page.locator("#influence li")).to_have_count(7)
    expect(page.locator("#whatif-reading")).to_contain_text("→")
    assert max(sizes) == 7
    assert sum(sizes) > 49
