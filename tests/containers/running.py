"""A container as a test runs it: started in the background, asked from outside or inside, its output kept, removed."""

import contextlib
import itertools
import os
import subprocess
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from rehearsal.containers.engine import Engine
from rehearsal.containers.orphans import label_options

_numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True)
class Ended:
    code: int
    output: str
    errors: str


@dataclass(frozen=True, kw_only=True)
class Running:
    engine: Engine
    name: str
    process: "subprocess.Popen[str]"
    pid_file: Path

    def inside(self, *words: str) -> Ended:
        """Run a command in the container."""
        done = subprocess.run(
            ["podman", "exec", self.name, *words],
            env=self.engine.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ended(code=done.returncode, output=done.stdout.strip(), errors=done.stderr.strip())

    def signal(self, name: str) -> None:
        """To the first process of the container, as `docker stop` and SageMaker send it."""
        self.engine.call("kill", "--signal", name, self.name)

    def wait(self, seconds: float) -> Ended:
        output, errors = self.process.communicate(timeout=seconds)
        return Ended(code=self.process.returncode, output=output.strip(), errors=errors.strip())

    def wait_for(self, path: Path, pattern: str, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not list(path.glob(pattern)):
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline, f"no {pattern} in {path} after {seconds} s"
            time.sleep(0.05)


@contextlib.contextmanager
def running(
    engine: Engine, image: str, *arguments: str, folder: Path, network: str = "none", options: tuple[str, ...] = ()
) -> Generator[Running]:
    """A container with a read-only root; `folder` is its `/opt/ml`."""
    number = next(_numbers)
    name, pid_file = f"test-{os.getpid()}-{number}", folder.parent / f"pid-{number}"
    words = [
        *("podman", "run", "--name", name, "--pidfile", str(pid_file), *label_options()),
        *("--log-driver", "none", "--read-only", "--network", network, "--cap-drop", "all"),
        *("--volume", f"{folder}:/opt/ml", *options, image, *arguments),
    ]
    environment = {**engine.environment, "DISABLE_HC_SYSTEMD": "true"}
    process = subprocess.Popen(
        words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield Running(engine=engine, name=name, process=process, pid_file=pid_file)
    finally:
        engine.remove(name)
        process.communicate(timeout=120)
