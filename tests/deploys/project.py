"""A git repository with this checkout in it, deployed by `drivetrain` to a rehearsal, and releases to put into it."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from delivery.pulumi.command import PulumiStack
from infra.names import Names
from infra.settings import Settings, load_settings
from models.release import Release, write_releases
from rehearsal import images
from rehearsal.aws import archives
from rehearsal.provider.aws_clients import EnvironmentClients
from rehearsal.server import Rehearsal

MODEL = "auto-mpg"
_SERVER = """
import http.server, json, os, pathlib, time
model = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"]) / "model"
pause = float((model / "pause.txt").read_text())
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer({})
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(pause)
        self.answer({"predictions": [1.0], "release": os.environ["RELEASE"]})
    def answer(self, document):
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass
address = os.environ["SERVING_HOST"], int(os.environ["SAGEMAKER_BIND_TO_PORT"])
http.server.ThreadingHTTPServer(address, Handler).serve_forever()
"""


@dataclass(frozen=True)
class Project:
    """The repository in `path`, and the stack of it that is deployed to the rehearsal."""

    path: Path
    stack: str
    rehearsal: Rehearsal
    environment: dict[str, str]

    @cached_property
    def settings(self) -> Settings:
        return load_settings(self.path, self.stack)

    @property
    def names(self) -> Names:
        return self.settings.names

    @property
    def pulumi(self) -> PulumiStack:
        return PulumiStack(project_dir=self.path, name=self.stack, environment=self.environment)

    @property
    def endpoint(self) -> str:
        return self.names.endpoint(MODEL)

    def client(self, service: str) -> Any:
        return EnvironmentClients(self.environment).client(service)

    def drivetrain(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line of the repository."""
        return subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            cwd=self.path,
            env={**self.environment, "PYTHONPATH": str(self.path)},
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )

    def git(self, *arguments: str) -> str:
        who = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *who, *arguments], cwd=self.path, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def release(self, version: int, pause_s: float) -> Release:
        """Commit the release of a model that takes `pause_s` for an answer: image, artefact and release file."""
        folder = self.path.parent / f"release-{version}"
        folder.mkdir()
        (folder / "box.py").write_text(_SERVER, encoding="utf-8")
        (folder / "pause.txt").write_text(str(pause_s), encoding="utf-8")
        digest = images.push_layer(
            archives.pack(folder, [Path("box.py")]),
            repository=self.names.repository("serving"),
            tag="fixture",
            entrypoint=["python", "-m", "box"],
            variables={},
            environment=self.environment,
        )
        artefact = archives.pack(folder, [Path("pause.txt")])
        key = f"models/{MODEL}/{version}/output/model.tar.gz"
        bucket = self.names.bucket("artifacts")
        self.client("s3").put_object(Bucket=bucket, Key=key, Body=artefact)
        group = f"{self.settings.region}:{self.settings.account_id}:model-package/{self.names.package_group(MODEL)}"
        release = Release(
            package=f"arn:aws:sagemaker:{group}/{version}",
            artefact=f"s3://{bucket}/{key}",
            artefact_sha256=hashlib.sha256(artefact).hexdigest(),
            manifest_sha256=f"{version:064x}",
            image=f"{self.names.registry}/{self.names.repository('serving')}@{digest}",
            snapshot=str(version),
            commit="0" * 40,
            metrics={"mae": 1.9},
        )
        write_releases(self.path / "releases" / f"{self.stack}.toml", {MODEL: release})
        self.commit(f"Release {version}")
        return release


_CALLERS = 4


class Stream:
    """Requests through InvokeEndpoint without a pause, by a few callers; every answer and failure is kept."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._ending = threading.Event()
        self.answers: list[tuple[float, str]] = []
        """When each was asked for, and the release that gave it."""
        self.failures: list[Exception] = []
        clients = [project.client("sagemaker-runtime") for _ in range(_CALLERS)]
        self._threads = [threading.Thread(target=self._run, args=(client,)) for client in clients]

    def __enter__(self) -> "Stream":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def since(self, moment: float) -> set[str]:
        """The releases that answered what was asked from then on."""
        return {release for at, release in self.answers if at >= moment}

    def next_answers(self, count: int = 30) -> set[str]:
        """The releases that answer now: of as many requests as `count`, all sent from now on."""
        began = time.monotonic()
        deadline = began + 60
        while sum(at >= began for at, _ in self.answers) < count:
            assert time.monotonic() < deadline, f"{count} requests were not answered: {self.failures[-1:]}"
            time.sleep(0.05)
        return self.since(began)

    def _run(self, client: Any) -> None:
        while not self._ending.wait(0.08):
            asked = time.monotonic()
            try:
                answer = client.invoke_endpoint(
                    EndpointName=self._project.endpoint, Body=b"[1]", ContentType="application/json"
                )
                document = json.loads(answer["Body"].read())
                self.answers.append((asked, document["release"]))
            except Exception as error:
                self.failures.append(error)


def deploying_environment(folder: Path, of_rehearsal: dict[str, str]) -> dict[str, str]:
    """What a workflow's job has: credentials, the pulumi command on PATH, and a backend."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DRIVETRAIN_", "PULUMI"))}
    (folder / "state").mkdir()
    return {
        **kept,
        **of_rehearsal,
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "",
    }
