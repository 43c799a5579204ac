"""A registry on this machine, by Debian's docker-registry: what is pushed to it can be pulled by digest."""

import contextlib
import http.client
import os
import shutil
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

from rehearsal import ports
from rehearsal.containers.engine import ContainerError, Engine

_READY_S = 60.0
_POLL_S = 0.05


@contextlib.contextmanager
def local_registry(folder: Path) -> Generator[str]:
    """A registry over `folder`, for the time of the block; gives its address. ContainerError if it does not start."""
    program = shutil.which("docker-registry", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if program is None:
        raise ContainerError("docker-registry is not on this machine; on Debian: apt-get install docker-registry")
    folder.mkdir(parents=True, exist_ok=True)
    process, address = _started(program, folder)
    try:
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


def _started(program: str, folder: Path) -> "tuple[subprocess.Popen[bytes], str]":
    """The process and its address, on another port where somebody else takes the first before it does."""
    for _ in range(ports.TRIES - 1):
        port = ports.free_port()
        try:
            return _listening(program, folder, port)
        except ContainerError:
            if not ports.taken(port):
                raise
    return _listening(program, folder, ports.free_port())


def _listening(program: str, folder: Path, port: int) -> "tuple[subprocess.Popen[bytes], str]":
    address, configuration, log = f"{ports.HOST}:{port}", folder / "registry.yml", folder / "registry.log"
    configuration.write_text(
        f"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {folder / 'data'}}}}}\n"
        f"http: {{addr: {address}}}\n"
    )
    with log.open("wb") as output:
        process = subprocess.Popen([program, "serve", str(configuration)], stdout=output, stderr=subprocess.STDOUT)
    try:
        _until_ready(address, process, log)
    except BaseException:
        process.terminate()
        process.wait()
        raise
    return process, address


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
