"""Half a minute in which all that can go wrong does so at the same time, to one process group."""

import gzip
import itertools
import json
import os
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h11
import httpx
import pytest

from tests.serving.conftest import BIAS, PATIENCE, WEIGHTS
from tests.serving.http.harness import Client, post
from tests.serving.survival.conftest import CAR, PREDICTION, Group, children, resident
from tests.serving.survival.load import LOST, RIGHT, WRONG

pytestmark = pytest.mark.slow
_SECONDS = 24
_AT_MOST_SECONDS = 150
"""On a machine that is slow."""
_CALLERS = 8
_BODY = json.dumps(CAR).encode()


class Trouble:
    """Callers and operators that do something wrong again and again, each in a thread of its own."""

    def __init__(self, group: Group, folders: list[Path]) -> None:
        self.done: dict[str, int] = {}
        self.unexpected: list[str] = []
        self.cut = 0
        """Deeds that ended with their connection."""
        self.victims: dict[int, signal.Signals] = {}
        """What was sent to the workers that had to be replaced."""
        self._group, self._port = group, group.port
        self._folders = itertools.cycle(enumerate(folders))
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._again, args=(deed, pause), daemon=True)
            for deed, pause in (
                (self.leave, 0.01),
                (self.send_nonsense, 0.02),
                (self.send_bombs, 0.1),
                (self.be_in_a_hurry, 0.02),
                (self.say_nothing, 0.05),
                (self.swap, 0.5),
                (self.kill, 5.0),
            )
        ]

    def __enter__(self) -> "Trouble":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(timeout=PATIENCE)

    def _again(self, deed: Callable[[], None], pause: float) -> None:
        while not self._over.wait(pause):
            # A worker that is killed takes its callers' connections with it.
            try:
                deed()
            except (OSError, h11.RemoteProtocolError):
                self.cut += 1
            self.done[deed.__name__] = self.done.get(deed.__name__, 0) + 1

    def leave(self) -> None:
        """A caller that goes away in the middle of its request, with a reset."""
        raw = post(_BODY)
        with socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE) as connection:
            connection.sendall(raw[: len(raw) - self.done.get("leave", 0) % len(raw)])
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def send_nonsense(self) -> None:
        """Malformed HTTP and malformed rows."""
        self._expect(b"POST /invocations\r\n\r\n", {400})
        self._expect(post(b"[[[[{"), {400})
        self._expect(post(json.dumps(CAR | {"weight": None}).encode()), {400, 503})

    def send_bombs(self) -> None:
        """Bodies far above the limit."""
        self._expect(post(gzip.compress(b" " * 20_000_000, 1), "Content-Encoding: gzip"), {413})

    def be_in_a_hurry(self) -> None:
        """A caller that gives next to no time."""
        self._expect(post(_BODY, "X-Request-Deadline-Ms: 1"), {200, 503, 504})

    def say_nothing(self) -> None:
        """A connection that is opened and left alone for a while."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE):
            time.sleep(0.2)

    def swap(self) -> None:
        """Another model, or one that is none."""
        number, folder = next(self._folders)
        status, answer = self._group.swap(folder, release=f"model-{number}")
        if status not in ((409,) if number == 2 else (200, 409)):
            self.unexpected.append(f"swap of {folder}: {status} {answer}")

    def kill(self) -> None:
        """A worker is killed, or stands still."""
        workers = self._group.status()["workers"]
        if all(worker["ready"] for worker in workers) and self.are_replaced(workers):
            victim, sent = workers[self.killed % 2]["pid"], signal.SIGKILL if self.killed % 3 else signal.SIGSTOP
            os.kill(victim, sent)
            self.victims[victim] = sent

    @property
    def killed(self) -> int:
        return len(self.victims)

    @property
    def stopped(self) -> int:
        """How many of them stand still until the group kills them."""
        return list(self.victims.values()).count(signal.SIGSTOP)

    def are_replaced(self, workers: list[dict[str, Any]]) -> bool:
        """Whether no victim is left: one that was stopped a moment ago still counts as ready."""
        return not any(worker["pid"] in self.victims for worker in workers)

    def _expect(self, raw: bytes, statuses: set[int]) -> None:
        with Client(self._port) as client:
            answer = client.send(raw).answer()
        if answer.status not in statuses:
            self.unexpected.append(f"{raw[:80]!r}: {answer.status} {answer.body[:200]!r}")


def test_everything_at_once(
    start_group: Callable[..., Group],
    base_dir: Path,
    tmp_path: Path,
    make_artefact: Callable[..., Path],
    make_graph: Callable[..., bytes],
) -> None:
    other = make_artefact(tmp_path / "other", make_graph(WEIGHTS, BIAS + 10))
    broken = make_artefact(tmp_path / "broken")
    (broken / "model.onnx").write_bytes(b"corrupted")
    group = start_group(base_dir, SERVING_CAPTURE_DIR=str(tmp_path / "kept"))
    expected = {"": PREDICTION, "model-0": PREDICTION, "model-1": PREDICTION + 10}
    with group.load(expected, _CALLERS) as load, Trouble(group, [base_dir / "model", other, broken]) as trouble:
        begun = time.monotonic()
        while (passed := time.monotonic() - begun) < _SECONDS or (
            (trouble.killed < 2 or load.seen.outcomes[RIGHT] <= 500) and passed < _AT_MOST_SECONDS
        ):
            load.wait_for(20)
            time.sleep(0.2)
    print(f"{dict(load.seen.outcomes)}, slowest {load.seen.slowest:.1f} s, {trouble.cut} cut, beside {trouble.done}")
    group.wait_until(lambda status: trouble.are_replaced(status["workers"]))
    group.wait_until_whole()
    assert trouble.unexpected == []
    assert set(trouble.done) == {"leave", "send_nonsense", "send_bombs", "be_in_a_hurry", "say_nothing", "swap", "kill"}
    assert trouble.killed >= 2
    assert load.seen.outcomes[WRONG] == 0
    assert load.seen.outcomes[RIGHT] > 500
    # Nobody died by itself. The group killed who stood still, and beside them at most one whom the machine held up.
    workers = group.status()["workers"]
    killed, stuck = (sum(worker[reason] for worker in workers) for reason in ("restarts", "stuck"))
    assert killed - stuck == trouble.killed - trouble.stopped
    assert trouble.stopped <= stuck <= trouble.stopped + 1
    # A killed worker takes at most one request of each caller with it.
    assert load.seen.outcomes[LOST] <= _CALLERS * killed
    assert trouble.cut <= len(trouble.done) * killed
    # In the end all is as in the beginning: two workers with one model, which is what the last swap said.
    (model,) = group.status()["models"]
    with httpx.Client(headers={"Connection": "close"}, timeout=PATIENCE) as client:
        answers = [client.post(f"{group.process.url}/invocations", json=CAR).json() for _ in range(20)]
    assert {answer["release"] for answer in answers} == {model["release"]}
    assert {round(answer["predictions"][0], 2) for answer in answers} == {round(expected[model["release"]], 2)}
    assert len(children(group.process.process.pid)) == 2
    assert all(resident(pid) < 200_000_000 for pid in group.pids())
    records = [json.loads(line) for line in group.process.stderr().splitlines()]
    assert [record for record in records if "trace" in record] == []
    deaths = [record["message"] for record in records if "another is started" in record["message"]]
    assert (len(deaths), all("was killed by SIGKILL" in death for death in deaths)) == (killed, True), deaths
    group.process.process.send_signal(signal.SIGTERM)
    assert group.process.process.wait(timeout=PATIENCE) == 0
    assert not list((tmp_path / "kept").rglob("*.part"))
