"""The image by digest through a real registry: pushed, pulled into another storage that had none of it, and it is the
same one."""

import hashlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from rehearsal.containers.build import BuiltImage
from rehearsal.containers.engine import ContainerError, Engine, open_engine
from rehearsal.containers.registry import local_registry, pull, push
from tests.containers.running import running
from tests.installed import need_programs

pytestmark = pytest.mark.slow


@pytest.fixture
def elsewhere() -> Generator[Engine]:
    """podman with an empty storage, as on another machine; in a short path, of which podman takes 50 characters."""
    folder = Path(tempfile.mkdtemp(prefix="podman-"))
    try:
        yield open_engine(folder)
    finally:
        # podman mounts its storage upon itself, and keeps that.
        subprocess.run(["umount", "--lazy", folder / "storage" / "overlay"], capture_output=True, check=False)
        shutil.rmtree(folder)


def test_pulled_elsewhere_by_digest(
    engine: Engine, elsewhere: Engine, serving_image: BuiltImage, tmp_path: Path
) -> None:
    need_programs("docker-registry")
    with local_registry(tmp_path / "registry") as address:
        digest = push(engine, serving_image.id, address, "drivetrain-serving")
        manifest = manifest_of(address, digest)
        assert f"sha256:{hashlib.sha256(manifest).hexdigest()}" == digest
        with pytest.raises(ContainerError, match="manifest unknown"):
            pull(elsewhere, address, "drivetrain-serving", f"sha256:{'0' * 64}")

        *_, layer = (each["digest"].removeprefix("sha256:") for each in json.loads(manifest)["layers"])
        (blob,) = (tmp_path / "registry" / "data").rglob(f"blobs/sha256/{layer[:2]}/{layer}/data")
        blob.rename(tmp_path / "layer")
        with pytest.raises(ContainerError, match="pull"):
            pull(elsewhere, address, "drivetrain-serving", digest)
        assert not elsewhere.has_image(serving_image.id.removeprefix("sha256:")), "a layer is missing in the registry"

        (tmp_path / "layer").rename(blob)
        assert pull(elsewhere, address, "drivetrain-serving", digest) == serving_image.id
    ours, theirs = (each.inspect(serving_image.id.removeprefix("sha256:")) for each in (engine, elsewhere))
    assert ours["RootFS"]["Layers"] == theirs["RootFS"]["Layers"]
    with running(elsewhere, f"{address}/drivetrain-serving@{digest}", "serve", "now", folder=tmp_path) as container:
        assert container.wait(120).code == 2


def manifest_of(address: str, digest: str) -> bytes:
    accept = "application/vnd.docker.distribution.manifest.v2+json"
    url = f"http://{address}/v2/drivetrain-serving/manifests/{digest}"
    answer = httpx.get(url, headers={"Accept": accept}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.content


def test_a_registry_that_is_missing_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(ContainerError, match="apt-get install docker-registry"), local_registry(tmp_path):
        pass
