"""What holds for every test: in CI a missing part is a failure, not a skip; the tests of a file share a process."""

import os
import signal
from collections.abc import Generator

import pytest


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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share costly fixtures stay in one process: those of a file, and those of one rehearsal."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))


def _group(item: pytest.Item) -> str:
    if "checkout" in getattr(item, "fixturenames", ()):
        return "the end-to-end rehearsal"
    return str(item.path.parent if item.path.parent.name == "applied" else item.path)
