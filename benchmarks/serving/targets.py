"""Who is measured: ours in both fronts, and each peer with the code that one of its users would write."""

import os
import sys
import sysconfig
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from benchmarks.serving.artefact import base_folder
from benchmarks.serving.environments import go_program, onnxruntime_library, python_environment, run
from benchmarks.serving.places import KEPT, PEERS, ROOT

Kind = Literal["ours", "model server", "framework"]
"""Model servers are what users pick to serve models; frameworks are what they build one with."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """What starts a server, and the variables it needs beside the usual ones."""

    arguments: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict[str, str])
    folder: Path = ROOT


@dataclass(frozen=True, kw_only=True)
class Target:
    """One server to measure: how its environment is made, how it is started, what it takes and how it answers."""

    name: str
    title: str
    kind: Kind
    prepare: Callable[[int], Command]
    """Sets the environment up, and gives the command that listens on a port; SetupError when it cannot be had."""
    form: str = "rows"
    path: str = "/invocations"
    predictions: Callable[[Any], list[float]] = lambda answer: answer["predictions"]


def our_command(port: int, **settings: str) -> Command:
    """Our server on `port`; `settings` are environment variables."""
    environ = {
        "SAGEMAKER_BASE_DIR": str(base_folder()),
        "SAGEMAKER_BIND_TO_PORT": str(port),
        "SERVING_HOST": "127.0.0.1",
        "SERVING_WORKERS": "1",
    }
    return Command(arguments=(sys.executable, "-m", "serving", "serve"), environ=environ | settings)


def _ours(front: str) -> Callable[[int], Command]:
    return lambda port: our_command(port, SERVING_FRONT=front)


def _script(name: str, script: str = "server.py") -> Callable[[int], Command]:
    def prepare(port: int) -> Command:
        python = python_environment(name)
        return Command(arguments=(str(python), str(PEERS / name / script)), environ=_environ(name, port))

    return prepare


def _go(name: str) -> Callable[[int], Command]:
    def prepare(port: int) -> Command:
        library = {"BENCH_ONNXRUNTIME": str(onnxruntime_library())}
        return Command(arguments=(str(go_program(name)),), environ=_environ(name, port) | library)

    return prepare


def _bentoml(port: int) -> Command:
    program = python_environment("bentoml").with_name("bentoml")
    folder = str(PEERS / "bentoml")
    arguments = (str(program), "serve", "service:Cars", "--working-dir", folder, "--host", "127.0.0.1")
    home = KEPT / "bentoml-home"
    home.mkdir(parents=True, exist_ok=True)
    environ = _environ("bentoml", port) | {"BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True"}
    return Command(arguments=(*arguments, "--port", str(port)), environ=environ)


def _mlflow(port: int) -> Command:
    python, saved = python_environment("mlflow"), base_folder() / "mlflow"
    environ = _environ("mlflow", port) | {"MLFLOW_DISABLE_TELEMETRY": "true"}
    if not (saved / "MLmodel").is_file():
        run([str(python), str(PEERS / "mlflow" / "model.py"), str(saved), environ["BENCH_MODEL"]], environ=environ)
    serve = (str(python), "-m", "mlflow", "models", "serve", "--model-uri", str(saved), "--env-manager", "local")
    return Command(
        arguments=(*serve, "--workers", "1", "--host", "127.0.0.1", "--port", str(port)), environ=environ, folder=KEPT
    )


def _mlserver(port: int) -> Command:
    program = python_environment("mlserver").with_name("mlserver")
    environ = _environ("mlserver", port) | {
        "MLSERVER_HOST": "127.0.0.1",
        "MLSERVER_HTTP_PORT": str(port),
        "MLSERVER_GRPC_PORT": str(port + 1),
        "MLSERVER_METRICS_PORT": str(port + 2),
        "MLSERVER_PARALLEL_WORKERS": "0",
        "MLSERVER_DEBUG": "false",
        "MLSERVER_USE_STRUCTURED_LOGGING": "false",
    }
    folder = PEERS / "mlserver"
    environ["PYTHONPATH"] += os.pathsep + str(folder)
    return Command(arguments=(str(program), "start", str(folder)), environ=environ, folder=KEPT)


def _pytriton(port: int) -> Command:
    # Its backend links libpython dynamically, and must not find another version's than that of the standard library.
    environ = _environ("pytriton", port) | {"LD_LIBRARY_PATH": str(sysconfig.get_config_var("LIBDIR"))}
    python = python_environment("pytriton")
    return Command(arguments=(str(python), str(PEERS / "pytriton" / "server.py")), environ=environ)


def _environ(name: str, port: int) -> dict[str, str]:
    """One thread everywhere, and what every peer's code reads."""
    return {
        "BENCH_MODEL": str(base_folder() / "model" / "model.onnx"),
        "BENCH_PORT": str(port),
        "PYTHONPATH": str(PEERS / "shared"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": f"{KEPT / name / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "DO_NOT_TRACK": "1",
    }


def _v2_data(answer: Any) -> list[float]:
    return answer["outputs"][0]["data"]


OURS: Final = "protocol"
TARGETS: Final = (
    Target(name=OURS, title="Drivetrain, own protocol", kind="ours", prepare=_ours("protocol")),
    Target(name="asgi", title="Drivetrain, ASGI, uvicorn, h11", kind="ours", prepare=_ours("asgi")),
    Target(name="litserve", title="LitServe", kind="model server", prepare=_script("litserve")),
    Target(name="bentoml", title="BentoML", kind="model server", prepare=_bentoml, form="named"),
    Target(name="mlflow", title="MLflow", kind="model server", prepare=_mlflow, form="inputs"),
    Target(
        name="mlserver",
        title="MLServer",
        kind="model server",
        prepare=_mlserver,
        form="v2",
        path="/v2/models/cars/infer",
        predictions=_v2_data,
    ),
    Target(
        name="pytriton",
        title="PyTriton",
        kind="model server",
        prepare=_pytriton,
        form="v2",
        path="/v2/models/cars/infer",
        predictions=_v2_data,
    ),
    Target(name="fastapi", title="FastAPI, pydantic, uvicorn", kind="framework", prepare=_script("fastapi")),
    Target(name="starlette", title="Starlette, msgspec, uvicorn", kind="framework", prepare=_script("starlette")),
    Target(name="blacksheep", title="BlackSheep, msgspec, uvicorn", kind="framework", prepare=_script("blacksheep")),
    Target(name="robyn", title="Robyn, msgspec", kind="framework", prepare=_script("robyn")),
    Target(name="go_nethttp", title="Go net/http, ONNX Runtime", kind="framework", prepare=_go("go_nethttp")),
    Target(name="go_fasthttp", title="Go fasthttp, ONNX Runtime", kind="framework", prepare=_go("go_fasthttp")),
)
