"""Models swapped under load: no request is lost, and every answer is of the model that it says it is of."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from models.spec import ModelSpec
from tests.serving.conftest import BIAS, PATIENCE, ROOT, WEIGHTS
from tests.serving.survival.conftest import CAR, PREDICTION, Group, resident
from tests.serving.survival.load import LOST, RIGHT

pytestmark = pytest.mark.slow
Make = Callable[..., Any]
_LARGE = 4_000_000
"""Numbers in a model whose place in memory is seen: 16 MB."""


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory, make_artefact: Make, make_graph: Make) -> Path:
    """A model that predicts 10 more."""
    return make_artefact(tmp_path_factory.mktemp("other") / "model", make_graph(WEIGHTS, BIAS + 10))


@pytest.fixture(scope="module")
def shared_group(start_group: Callable[..., Group], base_dir: Path) -> Group:
    return start_group(base_dir)


@pytest.fixture
def group(shared_group: Group, base_dir: Path) -> Group:
    """The group with the model that it began with."""
    shared_group.wait_until_whole()
    assert shared_group.swap(base_dir / "model", other_model=True)[0] == 200
    return shared_group


def predict(group: Group) -> dict[str, Any]:
    """The answer to a caller with a new connection."""
    return httpx.post(f"{group.process.url}/invocations", json=CAR, timeout=PATIENCE).json()


def digest(folder: Path) -> str:
    return hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()


def test_a_swap_under_load_loses_nothing_and_mixes_nothing(group: Group, base_dir: Path, other: Path) -> None:
    expected = {"": PREDICTION, "old": PREDICTION, "new": PREDICTION + 10}
    before = group.restarts()
    with group.load(expected) as load:
        load.wait_for(100)
        for number in range(6):
            folder, release = (other, "new") if number % 2 == 0 else (base_dir / "model", "old")
            status, answer = group.swap(folder, release=release, manifest_sha256=digest(folder))
            assert (status, answer["swapped"], answer["workers"]) == (200, True, 2)
            # All workers have it by now: whoever is asked from here on says so.
            assert {predict(group)["release"] for _ in range(6)} == {release}
            load.wait_for(50, release)
    assert set(load.seen.outcomes) == {RIGHT}
    assert group.restarts() == before


def test_swaps_under_load_leave_no_old_model_in_memory(
    start_group: Callable[..., Group], tmp_path: Path, make_artefact: Make, make_graph: Make
) -> None:
    large = onnx.load_from_string(make_graph())
    large.graph.initializer.append(numpy_helper.from_array(np.zeros(_LARGE, dtype=np.float32), "table"))
    large.graph.node[-1].output[0] = "linear"
    for node in (
        helper.make_node("ArgMax", ["features"], ["index"], axis=1, keepdims=0),
        helper.make_node("Gather", ["table", "index"], ["zero"]),
        helper.make_node("Add", ["linear", "zero"], ["prediction"]),
    ):
        large.graph.node.append(node)
    folder = make_artefact(tmp_path / "model", large.SerializeToString())
    group = start_group(tmp_path, SERVING_WORKERS="1")
    (worker,) = group.pids()
    sizes: list[int] = []
    with group.load({"": PREDICTION, "new": PREDICTION}, callers=16) as load:
        for _ in range(14):
            load.wait_for(20)
            assert group.swap(folder, release="new")[0] == 200
            sizes.append(resident(worker))
    assert set(load.seen.outcomes) == {RIGHT}
    # A model that was kept at each swap would come to ten of them.
    assert max(sizes[4:]) - max(sizes[:4]) < 3 * 4 * _LARGE, sizes


@pytest.mark.parametrize("damage", ["graph", "manifest", "pinned", "missing", "nonsense", "other model"])
def test_a_model_that_is_not_right_is_refused_and_the_old_one_goes_on(
    group: Group,
    tmp_path: Path,
    make_artefact: Make,
    make_graph: Make,
    make_manifest: Make,
    spec: ModelSpec,
    damage: str,
) -> None:
    folder = tmp_path / "model"
    more: dict[str, str] = {}
    make_artefact(folder)
    if damage == "graph":
        (folder / "model.onnx").write_bytes(b"corrupted")
        reason = "model.onnx has sha256"
    elif damage == "manifest":
        (folder / "manifest.json").write_text("{")
        reason = "manifest.json: "
    elif damage == "pinned":
        more, reason = {"manifest_sha256": "0" * 64}, "this is not the released artefact"
    elif damage == "missing":
        folder, reason = tmp_path / "nowhere", "no such file"
    elif damage == "nonsense":
        make_artefact(folder, make_graph(np.full(7, np.inf, dtype=np.float32)))
        reason = "not a finite number"
    else:
        renamed = json.loads((folder / "spec.json").read_text()) | {"name": "other-model"}
        baseline = json.loads((folder / "baseline.json").read_text()) | {"model": "other-model"}
        (folder / "spec.json").write_text(ModelSpec.from_json(json.dumps(renamed)).to_json())
        (folder / "baseline.json").write_text(json.dumps(baseline))
        make_manifest(folder, model="other-model")
        reason = "the artefact is of model 'other-model', but 'auto-mpg' is served"
    with group.load() as load:
        load.wait_for(20)
        status, answer = group.swap(folder, **more)
        load.wait_for(20)
    assert (status, answer["swapped"], reason in answer["error"]) == (409, False, True), answer
    assert set(load.seen.outcomes) == {RIGHT}


def test_another_model_is_taken_when_that_is_said(
    group: Group, tmp_path: Path, make_artefact: Make, make_manifest: Make
) -> None:
    folder = make_artefact(tmp_path / "model")
    for name, key in (("spec.json", "name"), ("baseline.json", "model")):
        document = json.loads((folder / name).read_text()) | {key: "other-model"}
        (folder / name).write_text(json.dumps(document))
    make_manifest(folder, model="other-model")
    assert group.swap(folder, other_model=True)[0] == 200
    assert predict(group)["model"] == "other-model"


def test_a_successor_loads_what_was_swapped_in(group: Group, other: Path) -> None:
    assert group.swap(other, release="new")[0] == 200
    before = group.restarts()
    for pid in group.pids():
        os.kill(pid, 9)
    group.wait_until(lambda status: sum(worker["restarts"] for worker in status["workers"]) >= before + 2)
    group.wait_until_whole()
    answer = predict(group)
    assert (answer["release"], answer["predictions"]) == ("new", [pytest.approx(PREDICTION + 10, abs=1e-3)])


def test_the_command_line_swaps_and_tells(group: Group, other: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "serving", *arguments],
            env=os.environ | {"SERVING_CONTROL_SOCKET": str(group.control), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )

    done = run("swap", str(other), "--manifest-sha256", digest(other), "--release", "new")
    assert (done.returncode, f"auto-mpg ({digest(other)}) on 2 workers" in done.stdout) == (0, True), done
    refused = run("swap", str(other.parent))
    assert (refused.returncode, "manifest.json: no such file" in refused.stderr) == (1, True)
    told = run("status")
    assert (told.returncode, json.loads(told.stdout)["models"][0]["release"]) == (0, "new")


def test_only_the_servers_own_user_may_open_the_socket(group: Group) -> None:
    assert group.control.stat().st_mode & 0o777 == 0o600


def test_a_watched_folder_is_followed(
    start_group: Callable[..., Group], tmp_path: Path, make_artefact: Make, make_graph: Make
) -> None:
    make_artefact(tmp_path / "1")
    (tmp_path / "current").symlink_to("1")
    group = start_group(tmp_path / "nothing", SERVING_WATCH=str(tmp_path), SERVING_WORKERS="1")
    with group.load({"1": PREDICTION, "3": PREDICTION + 10}, callers=2) as load:
        load.wait_for(20, "1")
        (make_artefact(tmp_path / "2") / "model.onnx").write_bytes(b"corrupted")
        move(tmp_path, "2")
        group.process.wait_until_said("2 is refused, the one before goes on: model.onnx has sha256")
        make_artefact(tmp_path / "3", make_graph(WEIGHTS, BIAS + 10))
        move(tmp_path, "3")
        load.wait_for(20, "3")
    assert (set(load.seen.outcomes), load.seen.outcomes[LOST]) == ({RIGHT}, 0)


def move(folder: Path, to: str) -> None:
    (folder / "next").symlink_to(to)
    (folder / "next").rename(folder / "current")


def test_variants_share_the_requests_and_a_shadow_gets_copies(
    start_group: Callable[..., Group], base_dir: Path, tmp_path: Path, other: Path
) -> None:
    variants = [
        {"name": "blue", "folder": str(base_dir / "model"), "release": "3", "weight": 3},
        {"name": "green", "folder": str(other), "release": "4", "weight": 1},
        {"name": "next", "folder": str(other), "shadow": True},
    ]
    (tmp_path / "variants.json").write_text(json.dumps({"variants": variants}))
    group = start_group(base_dir, SERVING_VARIANTS=str(tmp_path / "variants.json"), SERVING_WORKERS="1")
    url = f"{group.process.url}/invocations"
    expected = {"blue": PREDICTION, "green": PREDICTION + 10}
    chosen: list[str] = []
    with httpx.Client(timeout=PATIENCE) as client:
        for number in range(80):
            answer = client.post(url, json=CAR, headers={"X-Request-Id": f"request-{number % 40}"})
            chosen.append(answer.headers["x-amzn-invoked-production-variant"])
            assert answer.json()["variant"] == chosen[-1]
            assert answer.json()["predictions"][0] == pytest.approx(expected[chosen[-1]], abs=1e-3)
        assert chosen[:40] == chosen[40:]
        assert set(chosen) == {"blue", "green"}
        named = client.post(url, json=CAR, headers={"X-Amzn-SageMaker-Target-Variant": "green"})
        assert named.json()["variant"] == "green"
        unknown = client.post(url, json=CAR, headers={"X-Amzn-SageMaker-Target-Variant": "red"})
        assert (unknown.status_code, unknown.json()["error"]["code"]) == (400, "unknown_variant")
        assert group.swap(base_dir / "model", variant="green", release="5")[0] == 200
        assert client.post(url, json=CAR, headers={"X-Amzn-SageMaker-Target-Variant": "green"}).json()["release"] == "5"
        deadline = time.monotonic() + PATIENCE
        while not copies(client.get(f"{group.process.url}/metrics").text):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def copies(metrics: str) -> float:
    lines = [line for line in metrics.splitlines() if line.startswith("serving_shadow_requests_total")]
    return sum(float(line.rpartition(" ")[2]) for line in lines if 'variant="next"' in line)
