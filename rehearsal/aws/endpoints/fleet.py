"""One variant's serving process: started, waited for until `/ping` answers 200, started again when it dies."""

import http.client
import json
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rehearsal import ports
from rehearsal.aws import runtime
from rehearsal.aws.endpoints.model import ModelError, ServedModel
from rehearsal.aws.jobs import container
from rehearsal.aws.jobs.logs import LogStream
from rehearsal.aws.processes import ClosedError
from rehearsal.containers.relay import Relay

_CONTAINER_PORT = 8080  # "Use Your Own Inference Code with Hosting Services": containers listen on port 8080
_POLL_S = 0.1
_PING_S = 2.0
_LONGEST_PAUSE_S = 30.0
_STOP_GRACE_S = 30.0  # "Use Your Own Inference Code with Hosting Services": SIGKILL comes 30 s after SIGTERM
_INVOKE_S = 60.0  # InvokeEndpoint: the container has 60 seconds to answer


class _PortTakenError(ModelError):
    """Somebody else took the container's port between its choice and the container's start."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the container answered."""

    status: int
    content_type: str
    body: bytes


class Fleet:
    """The instances of one variant. However many are asked for, one process serves here."""

    def __init__(
        self, model: ServedModel, *, configuration: str, variant: str, home: Path, group: str, startup_s: float
    ) -> None:
        self.model = model
        self.configuration = configuration
        self.variant = variant
        self.startup_s = startup_s
        self.port = 0
        self._home = home
        self._log = LogStream(
            account_id=model.account_id,
            region=model.region,
            group=group,
            stream=f"{variant}/{home.name}",
            file=home / "log.txt",
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._readers: list[threading.Thread] = []
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._command: container.Command | None = None
        self._in_flight = 0
        self._idle = threading.Condition()
        self._relay: Relay | None = None

    @property
    def url(self) -> str:
        """Where the container listens."""
        return f"http://{ports.HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The serving process."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Bring the variant up. Raises ModelError when it does not come up in time; nothing is left then."""
        shutil.rmtree(self._home, ignore_errors=True)
        self._home.mkdir(parents=True)
        try:
            self._command = self.model.prepare(self._home, self._log)
            self._launch_until_healthy()
        except BaseException:
            self.stop()
            raise
        threading.Thread(target=self._keep_alive, name=f"endpoint {self._home.name}", daemon=True).start()

    def invoke(self, body: bytes, headers: dict[str, str], *, timeout_s: float = _INVOKE_S) -> Answer:
        """POST /invocations. Raises OSError when the container does not answer."""
        return self._request("POST", "/invocations", body, headers, timeout_s=timeout_s)

    def execution_parameters(self) -> dict[str, Any]:
        """What the container says of batches: GET /execution-parameters; empty when it does not know of it."""
        try:
            answer = self._request("GET", "/execution-parameters", None, {}, timeout_s=_PING_S)
            return dict(json.loads(answer.body)) if answer.status == http.HTTPStatus.OK else {}
        except (OSError, http.client.HTTPException, ValueError):
            return {}

    def enter(self) -> None:
        """A request is on its way to this fleet."""
        with self._idle:
            self._in_flight += 1

    def leave(self) -> None:
        """It was answered."""
        with self._idle:
            self._in_flight -= 1
            self._idle.notify_all()

    def drain(self) -> None:
        """Wait until every request on its way is answered; none may be sent here any more."""
        with self._idle:
            self._idle.wait_for(lambda: self._in_flight == 0, timeout=_INVOKE_S)

    def stop(self) -> None:
        """SIGTERM, then SIGKILL; the folder goes with it, but for the log."""
        self._ending.set()
        with self._lock:
            process = self._process
        processes = runtime.current().processes
        if process is not None and process.returncode is None:
            container.signal_leader(process)
            deadline = time.monotonic() + min(_STOP_GRACE_S, runtime.current().stop_grace_s)
            while time.monotonic() < deadline and not processes.ended(process):
                time.sleep(_POLL_S)
            self._reap(process)
        shutil.rmtree(self._home / "opt", ignore_errors=True)

    def _launch(self) -> None:
        assert self._command is not None  # noqa: S101 - set by start
        with self._lock:
            # Looked at under the lock: a stop from now on finds the process, and with it the relay.
            if self._ending.is_set():
                return
            box = self._command.box
            if box is not None and box.isolated:
                # Nothing of the container's network is this machine's: it listens on the port that SageMaker knows.
                self._relay = Relay(pid_file=box.pid_file, inner_port=_CONTAINER_PORT)
                self.port = self._relay.port
                variables = {}
            else:
                self.port = ports.free_port()
                # An instance of its own would give it a worker a processor; here all variants share this machine.
                variables = {
                    "SAGEMAKER_BIND_TO_PORT": str(self.port),
                    "SERVING_HOST": ports.HOST,
                    "SERVING_WORKERS": "1",
                }
            command = replace(self._command, environment={**self._command.environment, **variables})
            try:
                self._process, self._readers = container.launch(command)
            except BaseException:
                self._close_relay()
                raise

    def _reap(self, process: subprocess.Popen[bytes]) -> None:
        assert self._command is not None  # noqa: S101 - set by start
        container.reap(process, self._command)
        container.hear_out(self._readers)
        self._close_relay()

    def _close_relay(self) -> None:
        if self._relay is not None:
            self._relay.close()

    def _launch_until_healthy(self) -> None:
        for _ in range(ports.TRIES - 1):
            self._launch()
            try:
                return self._until_healthy()
            except _PortTakenError:
                continue
        self._launch()
        return self._until_healthy()

    def _until_healthy(self) -> None:
        deadline = time.monotonic() + self.startup_s
        while time.monotonic() < deadline and not self._ending.is_set():
            if self._dead():
                if self._process is not None:
                    self._reap(self._process)
                error = _PortTakenError if ports.taken(self.port) else ModelError
                raise error(f"The container of variant {self.variant} exited: {self._log.last_line()}")
            if self._healthy():
                return
            time.sleep(_POLL_S)
        text = f"The {self.variant} variant did not pass the ping health check in {self.startup_s:.0f} s"
        raise ModelError(f"{text}: {self._log.last_line()}")

    def _healthy(self) -> bool:
        try:
            return self._request("GET", "/ping", None, {}, timeout_s=_PING_S).status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False

    def _dead(self) -> bool:
        return self._process is None or runtime.current().processes.ended(self._process)

    def _keep_alive(self) -> None:
        pause = 1.0
        while not self._ending.wait(0.5):
            if not self._dead():
                continue
            if self._process is not None:
                self._reap(self._process)
            self._log.write(f"the container died and is started again in {pause:.0f} s")
            if self._ending.wait(pause):
                return
            pause = min(2 * pause, _LONGEST_PAUSE_S)
            try:
                self._launch()
            except ClosedError:
                return

    def _request(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], *, timeout_s: float
    ) -> Answer:
        connection = http.client.HTTPConnection(ports.HOST, self.port, timeout=timeout_s)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            content_type = answer.getheader("Content-Type") or "application/octet-stream"
            return Answer(status=answer.status, content_type=content_type, body=answer.read())
        finally:
            connection.close()
