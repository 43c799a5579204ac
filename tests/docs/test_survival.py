"""`docs/survival.md`: every test that it names is there, no survival test is left out, and it counts right."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.sources import project_directory

ROOT = project_directory()
PAGE = (ROOT / "docs" / "survival.md").read_text(encoding="utf-8")
TESTS = ROOT / "tests"
SURVIVAL = TESTS / "serving" / "survival"


def named() -> set[tuple[str, str]]:
    """Files, relative to tests/, and tests."""
    found = re.findall(r"`([\w/]+\.py)::(test_\w+)`", PAGE)
    assert len(found) == PAGE.count("::")
    return set(found)


def functions_of(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def survival() -> set[tuple[str, str]]:
    files = sorted(SURVIVAL.glob("test_*.py"))
    return {(str(file.relative_to(TESTS)), test) for file in files for test in functions_of(file)}


def number(pattern: str) -> int:
    (found,) = re.findall(pattern, PAGE)
    return int(found)


def test_every_test_that_is_named_is_there() -> None:
    files = {file for file, _ in named()}
    assert [file for file in sorted(files) if not (TESTS / file).is_file()] == []
    there = {(file, test) for file in files for test in functions_of(TESTS / file)}
    assert sorted(named() - there) == []


def test_no_test_of_survival_is_left_out() -> None:
    assert survival()
    assert sorted(survival() - named()) == []


def test_every_row_of_a_list_names_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and "shown by" not in line]
    without = [row for row in rows if "::" not in row]
    # Only the folders that are about something else have a reason instead.
    assert [row for row in without if not re.match(r"\| (---|why|.+ \| L0_)", row)] == []


def test_triton_folders_are_counted_and_none_is_named_twice() -> None:
    asked = re.findall(r"^\| (L0_\w+) \|", PAGE, re.MULTILINE)
    others = [
        name for line in re.findall(r"^\| [^|]+ \| (L0_[\w, ]+) \|$", PAGE, re.MULTILINE) for name in line.split(", ")
    ]
    assert len(set(asked) | set(others)) == len(asked) + len(others) == number(r"has (\d+) folders `L0_\*`")
    assert len(asked) == number(r"What (\d+) of them ask")
    assert len(others) == number(r"The other (\d+) are")


def test_tests_are_counted() -> None:
    assert len(survival()) == number(r"`tests/serving/survival` has (\d+) tests")


@pytest.mark.slow
def test_cases_are_counted() -> None:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:cacheprovider", str(SURVIVAL)]
    # With options of whoever runs the tests, the list could have another form.
    environ = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    cases = [line for line in done.stdout.splitlines() if "::" in line]
    assert len(cases) == number(r"which are (\d+) cases")
