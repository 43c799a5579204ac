"""What a process killed outright left behind, by podman itself."""

import os
from collections.abc import Iterator

import pytest

from rehearsal.containers.base_image import base_image
from rehearsal.containers.engine import Engine
from rehearsal.containers.orphans import LABEL, label_options, remove_orphans

pytestmark = pytest.mark.slow


@pytest.fixture
def names(engine: Engine) -> Iterator[list[str]]:
    made = [f"test-{os.getpid()}-{kind}" for kind in ("mine", "orphan")]
    yield made
    engine.remove(*made)


def test_only_those_whose_process_is_gone_are_removed(engine: Engine, names: list[str]) -> None:
    gone = ("--label", f"{LABEL}={os.getpid()} long-ago")
    for name, options in zip(names, (label_options(), gone), strict=True):
        engine.call("create", "--name", name, *options, base_image(engine), "true")
    assert remove_orphans(engine) >= 1
    left = engine.call("ps", "--all", "--format", "{{.Names}}").split()
    assert [name for name in names if name in left] == names[:1]
