"""What a command is about: the project in the folder, its backend, and the stack that is named or selected.

As the real command does, `PULUMI_BACKEND_URL` goes before what `pulumi login` noted in `$PULUMI_HOME/credentials.json`,
and the selected stack is kept per project folder in `$PULUMI_HOME/workspaces`.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from delivery.pulumi.backend import BACKEND_VARIABLE, ORGANIZATION, StateBucket, open_bucket
from rehearsal.engine.state import StackStore
from rehearsal.pulumi.arguments import Options
from rehearsal.pulumi.errors import CONFIGURATION, STACK_NOT_FOUND, CommandError, stack_not_found
from rehearsal.pulumi.secrets import opened
from rehearsal.pulumi.storage import BackendStorage

NOT_LOGGED_IN = "this command requires logging in; try running `pulumi login` first"


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """A project folder and the backend of its stacks."""

    folder: Path
    project: str
    bucket: StateBucket

    def storage(self, stack: str) -> BackendStorage:
        """The state of a stack, there or not; `organization/<project>/<stack>` may name one of another project."""
        parts = stack.split("/")
        if len(parts) > 1 and parts[0] != ORGANIZATION:
            raise CommandError("organization name must be 'organization'")
        project = parts[1] if len(parts) == 3 else self.project
        return BackendStorage(self.bucket, project, parts[-1])

    def existing(self, options: Options) -> tuple[str, BackendStorage]:
        """The stack that the options name, or the selected one; raises CommandError when there is none."""
        given: str | None = getattr(options, "stack_name", None) or options.stack
        name = given or selected(self)
        if not name:
            raise CommandError("no stack selected; specify a stack name with --stack", STACK_NOT_FOUND)
        storage = self.storage(name)
        if storage.read() is None:
            raise stack_not_found(name)
        return name.split("/")[-1], storage

    def opened(self, options: Options) -> tuple[str, BackendStorage, StackStore]:
        """The same with what the state holds; its secrets' key is asked for, as the real command does."""
        name, storage = self.existing(options)
        store = StackStore(storage)
        opened(store.secrets_providers)
        return name, storage, store


def workspace() -> Workspace:
    """The workspace of the current folder; raises CommandError outside of a project."""
    folder = next((each for each in (Path.cwd(), *Path.cwd().parents) if (each / "Pulumi.yaml").is_file()), None)
    if folder is None:
        raise CommandError(
            "no Pulumi.yaml project file found (searching upwards from "
            f"{Path.cwd()}). If you have not created a project yet, use `pulumi new` to do so",
            CONFIGURATION,
        )
    document: Any = yaml.safe_load((folder / "Pulumi.yaml").read_text(encoding="utf-8"))
    backend: str | None = document["backend"].get("url") if document.get("backend") else None
    return Workspace(folder=folder, project=str(document["name"]), bucket=open_bucket(backend_address(backend)))


def backend_address(of_project: str | None = None) -> str:
    """Where the state is: the variable, else what the project says, else the last login."""
    url = os.environ.get(BACKEND_VARIABLE) or of_project
    if not url and (home() / "credentials.json").is_file():
        url = json.loads((home() / "credentials.json").read_text(encoding="utf-8")).get("current")
    if not url:
        raise CommandError(NOT_LOGGED_IN, 3)
    return url


def home() -> Path:
    """Where the command keeps what it must remember of this user."""
    return Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")


def select(place: Workspace, stack: str) -> None:
    """Remember the stack as this folder's."""
    note = _note(place)
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps({"stack": f"{ORGANIZATION}/{place.project}/{stack}"}), encoding="utf-8")


def selected(place: Workspace) -> str | None:
    """The stack selected last, if any."""
    note = _note(place)
    return json.loads(note.read_text(encoding="utf-8"))["stack"] if note.is_file() else None


def _note(place: Workspace) -> Path:
    path = hashlib.sha1(str(place.folder / "Pulumi.yaml").encode(), usedforsecurity=False).hexdigest()
    return home() / "workspaces" / f"{place.project}-{path}-workspace.json"
