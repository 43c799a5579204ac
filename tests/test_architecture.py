"""The borders between the packages, held by reading every import in the sources."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
WHAT_RUNS_IN_IMAGES = ("models", "lake", "training", "serving", "monitoring")


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """The dotted names that a file imports, at any depth."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def roots(package: str) -> set[str]:
    return {name.split(".")[0] for path in sources(package) for name in imported(path)}


@pytest.mark.parametrize("package", WHAT_RUNS_IN_IMAGES)
def test_what_runs_in_images_knows_nothing_of_the_platform(package: str) -> None:
    assert sources(package)
    assert not roots(package) & {"pulumi", "pulumi_aws", "infra", "rehearsal", "cli", "moto"}


def test_serving_needs_neither_torch_nor_aws() -> None:
    assert not roots("serving") & {"torch", "boto3", "training", "lake"}


def test_only_the_command_line_knows_the_rehearsal() -> None:
    others = [*WHAT_RUNS_IN_IMAGES, "infra", "pipelines", "delivery"]
    assert [package for package in others if "rehearsal" in roots(package)] == []


def test_what_delivers_calls_the_pulumi_command_and_declares_nothing() -> None:
    assert sources("delivery")
    assert not roots("delivery") & {"pulumi", "pulumi_aws", "cli", "moto", "torch"}


def test_the_pipeline_is_declared_without_pulumi() -> None:
    assert not roots("pipelines") & {"pulumi", "pulumi_aws", "infra"}


@pytest.mark.parametrize(
    "package",
    [*WHAT_RUNS_IN_IMAGES, "infra", "pipelines", "delivery", "rehearsal", "cli"],
)
def test_nothing_is_ever_unpickled(package: str) -> None:
    assert not roots(package) & {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}
    for path in sources(package):
        text = path.read_text()
        assert "torch.load(" not in text, path
        assert "allow_pickle=True" not in text, path


@pytest.mark.slow
def test_serving_loads_neither_torch_nor_boto3() -> None:
    """What is imported through others counts too, so the modules are counted in a process of their own."""
    script = "import sys, serving.__main__; print(sorted({'torch', 'boto3', 'pulumi', 'moto'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
