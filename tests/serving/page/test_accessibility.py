"""axe finds nothing, on any page, phone or desktop, light or dark; what is looked at is kept as a picture."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = pytest.mark.slow

Open = Callable[..., Page]
Findings = Callable[[Page], list[str]]
Screenshot = Callable[[Page, str], None]
LOOKS = [(size, scheme) for size in ("desktop", "phone") for scheme in ("light", "dark")]


def look_again(page: Page) -> None:
    """The page asks for the state at once when it is looked at again."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_the_page(open_page: Open, findings: Findings, screenshot: Screenshot, size: str, scheme: str) -> None:
    page = open_page(size=size, scheme=scheme, reduced_motion="reduce")
    expect(page.locator("#marker")).to_be_visible()
    expect(page.locator("#whatif-reading")).not_to_have_text("")
    screenshot(page, f"page-{size}-{scheme}")
    assert findings(page) == []


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_the_page_with_errors(
    open_page: Open, findings: Findings, screenshot: Screenshot, size: str, scheme: str
) -> None:
    page = open_page(size=size, scheme=scheme, expected="Failed to load resource", reduced_motion="reduce")
    expect(page.locator("#marker")).to_be_visible()
    page.route("**/status", lambda route: route.abort())
    page.locator("#field-weight").fill("9000")
    page.locator("#field-horsepower").fill("450")
    page.get_by_role("button", name="Predict").click()
    expect(page.locator("#error-weight")).to_be_visible()
    look_again(page)
    expect(page.locator("#notice")).to_be_visible()
    screenshot(page, f"errors-{size}-{scheme}")
    assert findings(page) == []


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_the_documentation(open_page: Open, findings: Findings, screenshot: Screenshot, size: str, scheme: str) -> None:
    page = open_page("/docs", size=size, scheme=scheme)
    screenshot(page, f"docs-{size}-{scheme}")
    assert findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_a_slow_answer_leaves_an_honest_page(open_page: Open, findings: Findings) -> None:
    page = open_page(expected="Failed to load resource")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/invocations", hold)
    page.reload()
    expect(page.locator("#prediction")).to_have_text("–")
    expect(page.locator("#influence-empty")).to_be_visible()
    assert findings(page) == []
    for route in held:
        route.abort()
