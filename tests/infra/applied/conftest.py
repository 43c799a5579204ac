"""All four stacks applied to one rehearsal, each in its account and with a model released, to be read back by boto3.

What is released depends on the day and the user: these stacks read a release file of their own, not the checkout's.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infra.bootstrap.settings import bootstrap_settings
from infra.names import Names
from infra.settings import Settings, load_settings
from infra.sources import project_directory
from models.release import Release, write_releases
from rehearsal import images, server
from rehearsal.aws import archives
from rehearsal.engine import UpResult, up
from rehearsal.provider.aws_clients import EnvironmentClients

STACKS = ("local", "dev", "staging", "production")
BOOTSTRAPPED = "dev"
"""Applied as continuous delivery does it; the others as an administrator does, which takes less time."""
MODEL = "auto-mpg"
_ARTEFACT = f"models/{MODEL}/fixture/output/model.tar.gz"
_SERVER = """
import http.server, json, os, pathlib
model = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"]) / "model"
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer({})
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer({"asked": body, "model": (model / "answer.txt").read_text(), "release": os.environ["RELEASE"]})
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


@dataclass(frozen=True, kw_only=True)
class Applied:
    """One stack as it stands on the rehearsal: without a release first, then with one."""

    settings: Settings
    state: Path
    environment: dict[str, str]
    override: Mapping[str, Any]
    """Where its releases are, and of one where it is deployed from."""
    first: UpResult
    second: UpResult
    release: Release

    @property
    def names(self) -> Names:
        return self.settings.names

    def client(self, service: str) -> Any:
        return EnvironmentClients(self.environment).client(service)

    def up(self) -> UpResult:
        """Apply it once more."""
        return up(project_directory(), self.settings.stack, self.state, self.environment, self.override)

    def statements(self, document: str | dict[str, Any]) -> list[dict[str, Any]]:
        """The statements of a policy, with their actions as a list."""
        parsed = json.loads(document) if isinstance(document, str) else document
        return [
            {**each, "Action": [each["Action"]] if isinstance(each["Action"], str) else each["Action"]}
            for each in parsed["Statement"]
        ]


class Stacks:
    """The stacks of one rehearsal, applied when first asked for."""

    def __init__(self, rehearsal: server.Rehearsal, folder: Path) -> None:
        self.rehearsal = rehearsal
        self._folder = folder
        self._applied: dict[str, Applied] = {}

    def __getitem__(self, stack: str) -> Applied:
        if stack not in self._applied:
            self._applied[stack] = self._apply(stack)
        return self._applied[stack]

    def forget(self, stack: str) -> None:
        """To be called by who destroyed it, so that who comes next finds it applied again."""
        del self._applied[stack]

    def _apply(self, stack: str) -> Applied:
        settings = load_settings(project_directory(), stack)
        environment = self.rehearsal.environment(settings.account_id, settings.region)
        releases, state = self._folder / "releases", self._folder / f"{stack}.json"
        override: dict[str, Any] = {"releases": str(releases)}
        if stack == BOOTSTRAPPED:
            override["github"] = {"repository": "org/repo"}
        write_releases(releases / f"{stack}.toml", {})
        deploying = self._deploying(settings, environment)
        first = up(project_directory(), stack, state, deploying, override)
        release = self._released(settings, environment)
        write_releases(releases / f"{stack}.toml", {MODEL: release})
        second = up(project_directory(), stack, state, deploying, override)
        return Applied(
            settings=settings,
            state=state,
            environment=environment,
            override=override,
            first=first,
            second=second,
            release=release,
        )

    def _deploying(self, settings: Settings, administrator: dict[str, str]) -> dict[str, str]:
        """The variables that a stack is applied with: dev is, by the deploy role that its bootstrap makes."""
        if settings.stack != BOOTSTRAPPED:
            return administrator
        wanted, state = bootstrap_settings(project_directory(), settings), self._folder / "bootstrap.json"
        folder = project_directory() / "bootstrap"
        up(folder, wanted.name, state, administrator, wanted.model_dump(mode="json"))
        return self.rehearsal.session(settings.names.deploy_role_arn, settings.region)

    def _released(self, settings: Settings, environment: dict[str, str]) -> Release:
        """Pushes an image that serves and puts an artefact; the release that says so."""
        names, region, account = settings.names, settings.region, settings.account_id
        (self._folder / "box.py").write_text(_SERVER, encoding="utf-8")
        (self._folder / "answer.txt").write_text("fixture", encoding="utf-8")
        digest = images.push_layer(
            archives.pack(self._folder, [Path("box.py")]),
            repository=names.repository("serving"),
            tag="fixture",
            entrypoint=["python", "-m", "box"],
            variables={},
            environment=environment,
        )
        artefact, bucket = archives.pack(self._folder, [Path("answer.txt")]), names.bucket("artifacts")
        EnvironmentClients(environment).client("s3").put_object(Bucket=bucket, Key=_ARTEFACT, Body=artefact)
        return Release(
            package=f"arn:aws:sagemaker:{region}:{account}:model-package/{names.package_group(MODEL)}/1",
            artefact=f"s3://{bucket}/{_ARTEFACT}",
            artefact_sha256=hashlib.sha256(artefact).hexdigest(),
            manifest_sha256="0" * 64,
            image=f"{names.registry}/{names.repository('serving')}@{digest}",
            snapshot="1",
            commit="0" * 40,
            metrics={"mae": 1.9},
        )


@pytest.fixture(scope="session")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stacks]:
    """Every stack by its name."""
    folder = tmp_path_factory.mktemp("applied")
    rehearsal = server.start(folder / "rehearsal", stop_grace_s=2.0)
    try:
        yield Stacks(rehearsal, folder)
    finally:
        rehearsal.stop()


@pytest.fixture(params=STACKS)
def stack(stacks: Stacks, request: pytest.FixtureRequest) -> Applied:
    """One stack; a test that takes this runs for each."""
    return stacks[request.param]
