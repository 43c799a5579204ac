"""`python -m rehearsal.aws --port P --state DIR`: serve until SIGTERM, SIGINT or until the state folder is gone.

Whatever way it ends, every process it started is ended with it.
"""

import argparse
import gc
import json
import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path

from moto.core.config import default_user_config
from moto.moto_server.werkzeug_app import MotoRequestHandler  # pyright: ignore[reportMissingTypeStubs]
from werkzeug.serving import make_server

from rehearsal.aws import descriptions, gaps, runtime
from rehearsal.aws.application import Application
from rehearsal.aws.clock import DEFAULT_RATE, Clock
from rehearsal.aws.cloudwatch.watch import Watch
from rehearsal.aws.gaps import authorization
from rehearsal.aws.processes import Processes, start_time
from rehearsal.containers.engine import ContainerError, Engine, open_engine

_HOST = "127.0.0.1"
_STATE_CHECK_S = 1.0
_END_GRACE_S = 5.0
_COLLECT_AFTER = 200_000
"""Objects: moto keeps nearly all that it makes, and looking for what it does not after Python's 700 costs a third."""


def main(arguments: list[str] | None = None) -> int:
    """Serve; returns the exit code."""
    gc.set_threshold(_COLLECT_AFTER)
    options = _parser().parse_args(arguments)
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((_HOST, options.port))
    except OSError as error:
        print(f"port {options.port} of {_HOST} cannot be listened on: {error.strerror}", file=sys.stderr)
        return 2
    listening.listen(128)
    try:
        engine = open_engine(options.containers) if options.containers else None
    except ContainerError as error:
        print(error, file=sys.stderr)
        return 1
    _serve(listening, options.state.resolve(), stop_grace_s=options.stop_grace, clock=options.clock_rate, engine=engine)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rehearsal.aws", description="An offline AWS that does the work.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--state", type=Path, required=True, help="folder for state, jobs and logs")
    parser.add_argument("--stop-grace", type=float, default=120.0, help="seconds between SIGTERM and SIGKILL for jobs")
    parser.add_argument(
        "--containers",
        type=Path,
        help="run SageMaker's jobs and endpoints in containers, of this folder's images",
    )
    parser.add_argument(
        "--clock-rate",
        type=_clock,
        default=Clock(),
        help=f"how many declared seconds of baking and of alarm periods pass in one (default {DEFAULT_RATE:g})",
    )
    return parser


def _clock(text: str) -> Clock:
    try:
        return Clock(float(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _serve(listening: socket.socket, state: Path, *, stop_grace_s: float, clock: Clock, engine: Engine | None) -> None:
    port: int = listening.getsockname()[1]
    # moto reads these when it is called
    os.environ["MOTO_PORT"] = str(port)
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    descriptions.read_once()
    processes = Processes(state / runtime.NOTES_FOLDER)
    runtime.activate(
        runtime.Runtime(
            state_dir=state, port=port, processes=processes, stop_grace_s=stop_grace_s, clock=clock, engine=engine
        )
    )
    default_user_config.setdefault("stepfunctions", {})["execute_state_machine"] = True
    gaps.install_all()
    authorization.enforce()
    Watch(clock).start()
    server = make_server(
        _HOST, port, Application(), threaded=True, request_handler=MotoRequestHandler, fd=listening.fileno()
    )
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: ending.set())
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    note = state / "server.json"
    containers = None if engine is None else str(engine.folder)
    _write(note, {"port": port, "pid": os.getpid(), "started": start_time(os.getpid()), "containers": containers})
    while not ending.wait(_STATE_CHECK_S):
        if not state.is_dir():
            ending.set()
    processes.close(grace_s=_END_GRACE_S)
    if engine is not None:
        engine.remove_labelled(str(state))
    note.unlink(missing_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # moto's own threads would keep a plain return waiting


def _write(path: Path, content: dict[str, object]) -> None:
    half = path.with_suffix(".half")
    half.write_text(json.dumps(content))
    half.replace(path)


if __name__ == "__main__":
    sys.exit(main())
