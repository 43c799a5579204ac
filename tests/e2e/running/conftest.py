"""One rehearsal for all end-to-end tests, brought up by the command line in a copy of this checkout.

The copy holds a second model, added as a folder and nothing else: what the platform gives the first it must give the
second. Nothing here depends on a rehearsal that is already up, and the copy's own is ended at the end.
"""

import shutil
from collections.abc import Iterator

import pytest

from tests.e2e.checkout import Checkout, copy_checkout

SECOND_MODEL = "second_cars"


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A copy with a second model in it, brought up once."""
    copied = copy_checkout(tmp_path_factory.mktemp("checkout"))
    models = copied.path / "models"
    shutil.copytree(models / "auto_mpg", models / SECOND_MODEL)
    try:
        done = copied.drivetrain("local", "up")
        assert done.returncode == 0, done.stdout + done.stderr
        yield Checkout(path=copied.path, up_output=done.stdout)
    finally:
        copied.drivetrain("local", "down")
