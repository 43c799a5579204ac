"""SageMaker's contract for endpoints, held by the serving image in real containers, without network and read-only."""

import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from models.spec import load_spec
from rehearsal.containers.build import BuiltImage
from rehearsal.containers.engine import ContainerError, Engine
from rehearsal.containers.relay import Relay
from tests.containers.running import Running, running
from tests.serving.conftest import MODEL_FOLDER, predictions

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
CAR = {
    "cylinders": 4,
    "displacement": 97.0,
    "horsepower": 88.0,
    "weight": 2130,
    "acceleration": 14.5,
    "model_year": 1971,
    "origin": "Japan",
}
_PATIENCE_S = 60.0
"""For an answer, where how soon it comes is not asked: the machine is busy with other tests."""
FORBIDDEN = ("torch", "boto3", "botocore", "pulumi", "moto", "infra", "rehearsal", "training", "pip", "uv", "pytest")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def relayed(container: Running) -> tuple[Relay, str]:
    """A port of this machine that leads to port 8080 of the container."""
    relay = Relay(pid_file=container.pid_file, inner_port=8080)
    return relay, f"http://127.0.0.1:{relay.port}"


def until_healthy(container: Running, url: str, seconds: float = 120) -> None:
    """Waits for a 200 of /ping."""
    deadline = time.monotonic() + seconds
    with httpx.Client(timeout=5) as client:
        while time.monotonic() < deadline and container.process.poll() is None:
            try:
                if client.get(f"{url}/ping").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.02)
    raise AssertionError(f"no 200 from /ping after {seconds} s: {container.process.poll()}")


@pytest.fixture(scope="module")
def served(engine: Engine, serving_image: BuiltImage, model_base: Path) -> Iterator[tuple[Running, str]]:
    """One container as SageMaker starts it: `serve`, no variable, port 8080; here with no network and read-only."""
    with running(engine, serving_image.id, "serve", folder=model_base) as container:
        relay, url = relayed(container)
        until_healthy(container, url)
        yield container, url
        relay.close()


def test_it_answers_the_health_check_within_two_seconds(served: tuple[Running, str]) -> None:
    """The best of three: with other tests beside it, the machine may keep the one who asks waiting as well."""
    seconds: list[float] = []
    with httpx.Client(timeout=_PATIENCE_S) as client:
        for _ in range(3):
            begun = time.monotonic()
            assert client.get(f"{served[1]}/ping").status_code == 200
            seconds.append(time.monotonic() - begun)
    assert min(seconds) < 2


def test_it_predicts(served: tuple[Running, str]) -> None:
    answer = httpx.post(f"{served[1]}/invocations", json=CAR, timeout=_PATIENCE_S)
    assert answer.status_code == 200
    expected = predictions(load_spec(MODEL_FOLDER), {name: [value] for name, value in CAR.items()})
    assert answer.json()["predictions"] == pytest.approx([float(expected[0])], rel=1e-5)


def test_nothing_outside_is_reached(served: tuple[Running, str]) -> None:
    container, _ = served
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        reach = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
        assert "ConnectionRefusedError" in container.inside("python", "-c", reach).errors
    interfaces = container.inside("cat", "/proc/net/dev").output.splitlines()[2:]
    assert [line.split(":")[0].strip() for line in interfaces] == ["lo"]


def test_it_is_not_root_and_writes_nowhere_but_in_memory(served: tuple[Running, str]) -> None:
    container, _ = served
    status = container.inside("cat", "/proc/1/status").output
    assert re.search(r"^Uid:\t10001\t10001\t10001\t10001$", status, re.MULTILINE)
    assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE)
    for place in ("/opt/program", "/opt/serving", "/opt/ml/model", "/etc", "/"):
        assert container.inside("touch", f"{place}/note").code != 0, place
    assert container.inside("touch", "/tmp/note").code == 0
    assert container.inside("grep", " /tmp ", "/proc/mounts").output.startswith("tmpfs")


def test_the_health_check_of_the_image(served: tuple[Running, str]) -> None:
    container, _ = served
    # Three tries, as the image's --retries says: one of them may have to wait for the machine.
    assert (checked(container) and checked(container) and checked(container)) == ""
    words = ("sh", "-c", "SAGEMAKER_BIND_TO_PORT=9 python -m serving ping")
    asked = container.inside(*words)
    assert asked.code == 1
    assert asked.errors.startswith("serving: no answer on 127.0.0.1, port 9")


def checked(container: Running) -> str:
    """What the health check of the image says in its three seconds: nothing when all is well."""
    try:
        return container.engine.call("healthcheck", "run", container.name)
    except ContainerError as error:
        return str(error)


def test_what_is_in_the_image(served: tuple[Running, str], engine: Engine, serving_image: BuiltImage) -> None:
    container, _ = served
    script = f"import importlib.util as u; print([n for n in {FORBIDDEN} if u.find_spec(n)])"
    assert container.inside("python", "-c", script).output == "[]"
    assert serving_image.own_bytes < 200e6, "the goal for the image without its base"
    config = engine.inspect(serving_image.id)["Config"]
    assert config["Entrypoint"] == ["python", "-m", "serving"]
    assert config["User"] == "10001:10001"
    assert config["StopSignal"] == "SIGTERM"
    assert "8080/tcp" in config["ExposedPorts"]
    assert config["Labels"]["com.amazonaws.sagemaker.capabilities.accept-bind-to-port"] == "true"


@pytest.mark.parametrize(
    ("options", "workers"),
    [
        (("--cpus", "1", "--memory", "1g"), 1),
        (("--cpus", "2", "--memory", "1g"), 2),
        (("--cpus", "2", "--memory", "300m"), 1),
    ],
)
def test_workers_follow_the_limits(
    engine: Engine, serving_image: BuiltImage, model_base: Path, options: tuple[str, ...], workers: int
) -> None:
    with running(engine, serving_image.id, "serve", options=options, folder=model_base) as container:
        relay, url = relayed(container)
        until_healthy(container, url)
        assert httpx.post(f"{url}/invocations", json=CAR, timeout=_PATIENCE_S).status_code == 200
        relay.close()
        count = "ls /proc/[0-9]*/stat | xargs cat 2>/dev/null | awk '$4 == 1' | grep -c python"
        assert container.inside("sh", "-c", count).output == str(workers)
        container.signal("TERM")
        assert container.wait(30).code == 0


def test_a_stop_under_load_finishes_what_was_accepted(
    engine: Engine, serving_image: BuiltImage, model_base: Path
) -> None:
    port = free_port()
    # One worker: with several, the health check is true when the first of them is ready.
    options = ("--env", f"SAGEMAKER_BIND_TO_PORT={port}", "--env", "SERVING_HOST=127.0.0.1", "--cpus", "1")
    with running(engine, serving_image.id, "serve", folder=model_base, network="host", options=options) as container:
        until_healthy(container, f"http://127.0.0.1:{port}")
        body = json.dumps(CAR).encode()
        codes: list[int] = []
        stopping = threading.Event()

        def ask() -> None:
            while not stopping.is_set():
                try:
                    connection = half_sent(port, body)
                except ConnectionRefusedError:
                    # It stopped to listen between the look at `stopping` and this: nothing of it was accepted.
                    assert stopping.is_set()
                    return
                connection.send(body[20:])
                codes.append(status(connection))

        callers = [threading.Thread(target=ask) for _ in range(4)]
        for caller in callers:
            caller.start()
        accepted = [half_sent(port, body) for _ in range(16)]
        # Callers are let in one after the other: once some of later ones are answered, those 16 are inside.
        enough, deadline = len(codes) + 50, time.monotonic() + _PATIENCE_S
        while len(codes) < enough:
            assert time.monotonic() < deadline, codes
            time.sleep(0.01)
        begun = time.monotonic()
        stopping.set()
        container.signal("TERM")
        for connection in accepted:
            connection.send(body[20:])
        finished = [status(connection) for connection in accepted]
        ended = container.wait(_PATIENCE_S)
        for caller in callers:
            caller.join(_PATIENCE_S)
        assert ended.code == 0, ended.errors
        assert time.monotonic() - begun < 30
        assert finished == [200] * 16
        assert set(codes) == {200}


def status(connection: http.client.HTTPConnection) -> int:
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def half_sent(port: int, body: bytes) -> http.client.HTTPConnection:
    """A request whose end is still to come."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)
    connection.putrequest("POST", "/invocations")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body[:20])
    return connection


@pytest.mark.parametrize(
    ("options", "arguments", "code", "said"),
    [
        (("--env", "SAGEMAKER_BIND_TO_PORT=http"), ("serve",), 1, "SAGEMAKER_BIND_TO_PORT is 'http'"),
        (("--env", "SERVING_WORKERS=many"), ("serve",), 1, "SERVING_WORKERS is 'many'"),
        (("--env", "MODEL_MANIFEST_SHA256=abc"), ("serve",), 1, "expected 64 hexadecimal digits"),
        (("--env", f"MODEL_MANIFEST_SHA256={'ab' * 32}"), ("serve",), 1, "manifest"),
        ((), ("train",), 2, "usage: python -m serving"),
    ],
)
def test_what_is_wrong_is_one_line_and_an_exit_status(
    engine: Engine,
    serving_image: BuiltImage,
    model_base: Path,
    options: tuple[str, ...],
    arguments: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    with running(engine, serving_image.id, *arguments, options=options, folder=model_base) as container:
        ended = container.wait(_PATIENCE_S)
    assert ended.code == code
    assert said in ended.errors
    assert "Traceback" not in ended.errors


def test_no_source_of_packages_is_left_in_an_image(
    engine: Engine, serving_image: BuiltImage, training_image: BuiltImage
) -> None:
    for image in (serving_image, training_image):
        told = json.dumps([engine.inspect(image.id), json.loads(engine.kept(image.id, image.id))])
        assert not re.search(
            r"https?://|index-url|find-links|secret", told.replace("id=pip.conf", "").replace("secret,", "")
        )
        root = Path(engine.call("image", "mount", image.id))
        try:
            for name in ("etc/pip.conf", "etc/uv/uv.toml"):
                left = root / name
                assert not left.exists() or left.stat().st_size == 0, left
            for name in ("etc/apt/sources.list", "etc/apt/sources.list.d", "etc/apt/auth.conf.d", "run/secrets"):
                left = root / name
                assert not left.exists() or not any(left.iterdir()), left
            assert not (root / "var/cache/uv").exists() or not any((root / "var/cache/uv").iterdir())
        finally:
            engine.call("image", "unmount", image.id)
