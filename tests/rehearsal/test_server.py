"""The server process: started, found, stopped, and nothing it started outlives it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from rehearsal import server
from rehearsal.aws.processes import start_time

pytestmark = pytest.mark.slow


def until(look: Callable[[], bool], *, seconds: float = 60.0) -> None:
    pause = threading.Event()
    for _ in range(int(seconds * 10)):
        if look():
            return
        pause.wait(0.1)
    raise AssertionError("not so in time")


def buckets(rehearsal: server.Rehearsal, account: str) -> list[str]:
    environment = rehearsal.environment(account, "eu-west-1")
    s3: Any = boto3.Session().client(
        "s3",
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name="eu-west-1",
        config=Config(retries={"total_max_attempts": 1}),
    )
    s3.create_bucket(Bucket=f"mine-{account}", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return [found["Name"] for found in s3.list_buckets()["Buckets"]]


def test_several_run_side_by_side_and_are_found_again(tmp_path: Path) -> None:
    first, second = server.start(tmp_path / "a"), server.start(tmp_path / "b")
    try:
        assert first.port != second.port
        assert buckets(first, "111111111111") == ["mine-111111111111"]
        assert buckets(first, "222222222222") == ["mine-222222222222"]
        assert buckets(second, "111111111111") == ["mine-111111111111"]
        assert server.start(tmp_path / "a") == first == server.running(tmp_path / "a")
        with pytest.raises(server.ServerError, match=f"already runs on port {first.port}"):
            server.start(tmp_path / "a", port=first.port + 1)
        with pytest.raises(server.ServerError, match="twelve digits"):
            first.environment("12", "eu-west-1")
    finally:
        first.stop()
        second.stop()
    assert server.running(tmp_path / "a") is None
    assert start_time(first.pid) is None
    first.stop()


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(server.ServerError, match=f"port {port} of 127.0.0.1.*Address already in use"):
            server.start(tmp_path, port=port)


def test_it_ends_when_its_state_is_gone(tmp_path: Path) -> None:
    state = tmp_path / "gone"
    rehearsal = server.start(state)
    with urllib.request.urlopen(f"{rehearsal.endpoint_url}/rehearsal/health", timeout=30) as answer:
        assert json.load(answer)["pid"] == rehearsal.pid
    shutil.rmtree(state)
    until(lambda: start_time(rehearsal.pid) is None)
    assert server.running(state) is None


def test_what_a_killed_server_left_is_ended(tmp_path: Path) -> None:
    rehearsal = server.start(tmp_path)
    left = os.posix_spawnp("sleep", ["sleep", "300"], os.environ, setsid=True)
    notes = tmp_path / "processes"
    notes.mkdir(exist_ok=True)
    (notes / f"{left}.json").write_text(json.dumps({"pid": left, "started": start_time(left)}))
    recycled = {"pid": os.getpid(), "started": "another time"}
    (notes / "recycled.json").write_text(json.dumps(recycled))
    os.kill(rehearsal.pid, signal.SIGKILL)
    until(lambda: start_time(rehearsal.pid) is None)
    assert server.running(tmp_path) is None
    again = server.start(tmp_path)
    try:
        assert start_time(left) is None
        assert again.pid != rehearsal.pid
    finally:
        again.stop()
        os.waitpid(left, 0)


def test_a_start_that_is_given_up_ends_what_was_deaf_to_signals_at_first() -> None:
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(0.5)"
    hearing = "signal.signal(15, signal.SIG_DFL); time.sleep(100)"
    with subprocess.Popen([sys.executable, "-c", f"{deaf}; {hearing}"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        server._end(process)  # pyright: ignore[reportPrivateUsage]
        assert process.returncode == -signal.SIGTERM
