"""A checkout with a mistake in it: `drivetrain local up` says file and key in one message, and starts nothing."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.checkout import Checkout, copy_checkout

pytestmark = pytest.mark.slow
SETTINGS, SPEC, NETWORK = "Pulumi.local.yaml", "models/auto_mpg/model.toml", "models/auto_mpg/network.py"


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return copy_checkout(tmp_path_factory.mktemp("refused"))


@pytest.fixture
def mistaken(copied: Checkout) -> Iterator[Checkout]:
    """The copy, in which a test may spoil a file; it is put right after the test."""
    kept = {name: (copied.path / name).read_text() for name in (SETTINGS, SPEC, NETWORK)}
    yield copied
    for name, text in kept.items():
        (copied.path / name).write_text(text)
    shutil.rmtree(copied.path / ".local", ignore_errors=True)


def spoil(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (SETTINGS, "region:", "regoin:", f"{SETTINGS}: drivetrain:settings: regoin: unknown key"),
        (SETTINGS, "protect: false", "protect: maybe", f"{SETTINGS}: drivetrain:settings: protect: "),
        (SETTINGS, "config:", "config: [", f"{SETTINGS}: no valid YAML"),
        (SPEC, "spot =", "spto =", f"{SPEC}: training.spto: unknown key"),
        (SPEC, "test_fraction = 0.2", "test_fraction = 2", f"{SPEC}: split.test_fraction: "),
        (SPEC, "max_runtime_s = 3600", "max_runtime_s = 1", f"{SPEC}: training.max_runtime_s: "),
        (SPEC, "ml.m5.large", "ml.m5.lrage", f"{SPEC}: training.instance_type: SageMaker has no 'ml.m5.lrage'"),
    ],
)
def test_a_mistake_is_told_with_file_and_key(mistaken: Checkout, file: str, old: str, new: str, message: str) -> None:
    spoil(mistaken.path / file, old, new)
    check_refused(mistaken, message)


def test_a_model_without_network_is_told(mistaken: Checkout) -> None:
    (mistaken.path / NETWORK).unlink()
    check_refused(mistaken, f"{NETWORK}: no such file")


def test_a_state_folder_that_cannot_be_made_is_told(mistaken: Checkout) -> None:
    (mistaken.path / ".local").write_text("in the way")
    done = mistaken.drivetrain("local", "up")
    (mistaken.path / ".local").unlink()
    assert done.returncode == 1
    assert f"drivetrain: {mistaken.path / '.local'}" in done.stderr
    assert "Traceback" not in done.stderr


def check_refused(checkout: Checkout, message: str) -> None:
    done = checkout.drivetrain("local", "up")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert (done.returncode, done.stdout) == (1, "")
    assert not (checkout.path / ".local").exists()
