"""A registry on this machine, by Debian's docker-registry: what is pushed to it can be pulled by digest."""

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

from rehearsal.containers.engine import ContainerError, Engine

_HOST = "127.0.0.1"
_READY_S = 15.0
_POLL_S = 0.05


@contextlib.contextmanager
def local_registry(folder: Path) -> Generator[str]:
    """A registry over `folder`, for the time of the block; gives its address. ContainerError if it does not start."""
    program = shutil.which("docker-registry", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if program is None:
        raise ContainerError("docker-registry is not on this machine; on Debian: apt-get install docker-registry")
    folder.mkdir(parents=True, exist_ok=True)
    address = f"{_HOST}:{_free_port()}"
    configuration = folder / "registry.yml"
    configuration.write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder / 'data'}}}}}\n"
        f"http: {{addr: {address}}}\n"
    )
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen([program, "serve", str(configuration)], stdout=log, stderr=subprocess.STDOUT)
    try:
        _until_ready(address, process, folder / "registry.log")
        yield address
    finally:
        process.terminate()
        process.wait()


def push(engine: Engine, image_id: str, address: str, name: str) -> str:
    """Push an image; returns the digest that the registry has it under. ContainerError by podman."""
    digest_file = engine.folder / "copies" / f"digest-{os.getpid()}"
    target = f"docker://{address}/{name}:latest"
    engine.call("push", "--quiet", "--tls-verify=false", "--digestfile", str(digest_file), image_id, target)
    try:
        return digest_file.read_text().strip()
    finally:
        digest_file.unlink(missing_ok=True)


def pull(engine: Engine, address: str, name: str, digest: str) -> str:
    """Pull an image by digest; returns its id. ContainerError by podman."""
    return f"sha256:{engine.call('pull', '--quiet', '--tls-verify=false', f'{address}/{name}@{digest}')}"


def _until_ready(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection(address, timeout=1)
        try:
            connection.request("GET", "/v2/")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        except OSError:
            time.sleep(_POLL_S)
        finally:
            connection.close()
    raise ContainerError(f"docker-registry does not start on {address}: {log.read_text()[-500:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])
