"""The image by digest through a real registry: pushed, removed here, pulled, and it is the same one."""

import hashlib
from pathlib import Path

import httpx
import pytest

from rehearsal.containers.build import BuiltImage
from rehearsal.containers.engine import ContainerError, Engine
from rehearsal.containers.registry import local_registry, pull, push
from tests.containers.running import running

pytestmark = pytest.mark.slow


def test_pushed_and_pulled_by_digest(engine: Engine, serving_image: BuiltImage, tmp_path: Path) -> None:
    with local_registry(tmp_path / "registry") as address:
        digest = push(engine, serving_image.id, address, "drivetrain-serving")
        assert f"sha256:{hashlib.sha256(manifest_of(address, digest)).hexdigest()}" == digest
        assert pull(engine, address, "drivetrain-serving", digest) == serving_image.id
        with pytest.raises(ContainerError, match="manifest unknown"):
            pull(engine, address, "drivetrain-serving", f"sha256:{'0' * 64}")
    with running(engine, f"{address}/drivetrain-serving@{digest}", "serve", "now", folder=tmp_path) as container:
        assert container.wait(30).code == 2
    engine.call("untag", serving_image.id, f"{address}/drivetrain-serving@{digest}")


def manifest_of(address: str, digest: str) -> bytes:
    accept = "application/vnd.docker.distribution.manifest.v2+json"
    answer = httpx.get(f"http://{address}/v2/drivetrain-serving/manifests/{digest}", headers={"Accept": accept})
    assert answer.status_code == 200, answer.text
    return answer.content


def test_a_registry_that_is_missing_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(ContainerError, match="apt-get install docker-registry"), local_registry(tmp_path):
        pass
