"""For every test: in CI a missing part is a failure, not a skip; tests that share costly parts share a process."""

import gc
import os
import signal
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.installed import CHROMIUM, need

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SHARED = ("tests/containers", "tests/e2e/running", "tests/infra/applied", "tests/workflows")
"""Folders whose files share one rehearsal; elsewhere a file is on its own."""
FIRST = ("tests/workflows", "tests/containers", "tests/e2e")
"""What takes longest, the longest first, so that it does not begin when the rest is done."""

BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
BROWSER_PATIENCE_MS = 60_000
"""How long a page may take to look as it is expected to: the machine may be busy, or stand still for seconds."""


class SharingScheduler(LoadScopeScheduling):
    """Sends what shares costly fixtures to one process: a whole file, or a whole folder of SHARED.

    xdist's own `loadgroup` renames tests, which pytest 9 no longer takes note of.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return next((folder for folder in SHARED if file.startswith(f"{folder}/")), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    return SharingScheduler(config, log)  # type: ignore[arg-type]


def pytest_sessionstart() -> None:
    """A shell has its background jobs ignore Ctrl-C, and so would what the tests start and interrupt."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and os.environ.get("CI") == "true":
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} may not be skipped in CI: {report.longrepr}"
    return report


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Binary values are named by their argument: an archive's bytes tell the second in which it was made, and every
    process of a run must give a test the same name."""
    del config
    return argname if isinstance(val, bytes) and not val.isascii() else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(
        key=lambda item: next((n for n, folder in enumerate(FIRST) if item.nodeid.startswith(folder)), len(FIRST))
    )


def pytest_collection_finish() -> None:
    """What collecting made stays to the end: the garbage collector need not look through it again and again."""
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Let go of it again: what is never collected, extension modules report as leaked at the end."""
    gc.unfreeze()


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """A real headless Chromium. One at a time, and none after its file: while Playwright is up, its event loop counts
    as running in the whole process, where a second Playwright and every `asyncio.run` are refused."""
    need(CHROMIUM)
    from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415 - few tests need it, and it takes its time

    expect.set_options(timeout=BROWSER_PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=BROWSER_ARGUMENTS, timeout=2 * BROWSER_PATIENCE_MS
        )
        yield browser
        browser.close()
