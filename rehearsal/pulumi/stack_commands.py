"""`pulumi stack …`, `cancel`, `login` and `whoami`: what is about states and not about AWS."""

import getpass
import json
import sys
from pathlib import Path
from typing import Any

from delivery.pulumi.backend import LOCKS, ORGANIZATION, STACKS, open_bucket
from rehearsal.engine.checkpoint import VERSION
from rehearsal.engine.state import StackStore
from rehearsal.engine.urn import STACK_TYPE
from rehearsal.pulumi.arguments import Options
from rehearsal.pulumi.digest import SECRET_SHOWN, blinded
from rehearsal.pulumi.errors import CommandError, stack_not_found
from rehearsal.pulumi.secrets import provider_for
from rehearsal.pulumi.workspace import Workspace, backend_address, home, select, selected, workspace


def login(options: Options) -> None:
    """Remember a backend."""
    url = options.url or options.cloud_url or ("file://~" if options.local else None) or backend_address()
    open_bucket(url)
    home().mkdir(parents=True, exist_ok=True)
    (home() / "credentials.json").write_text(json.dumps({"current": url}), encoding="utf-8")
    print(f"Logged in to rehearsed pulumi as {getpass.getuser()} ({url})")


def whoami(options: Options) -> None:
    """Who uses the backend."""
    del options
    backend_address()
    print(getpass.getuser())


def init(options: Options) -> None:
    """Make an empty stack and select it."""
    place = workspace()
    name = options.stack_name or options.stack
    if not name:
        raise CommandError("missing stack name", 2)
    _create(place, name, options.secrets_provider)
    if not options.no_select:
        select(place, name.split("/")[-1])


def choose(options: Options) -> None:
    """Select a stack; with `--create`, make it first when it is not there."""
    place = workspace()
    name = options.stack_name or options.stack
    if not name:
        raise CommandError("no stack selected; specify a stack name with --stack", 6)
    if place.storage(name).read() is None:
        if not options.create:
            raise stack_not_found(name)
        _create(place, name, options.secrets_provider)
    select(place, name.split("/")[-1])


def _create(place: Workspace, name: str, secrets_provider: str) -> None:
    storage = place.storage(name)
    if storage.read() is not None:
        raise CommandError(f"stack '{name}' already exists")
    store = StackStore(storage)
    store.stack = f"{ORGANIZATION}/{place.project}/{name.rsplit('/', maxsplit=1)[-1]}"
    store.secrets_providers = provider_for(secrets_provider)
    store.commit()
    print(f"Created stack '{name}'", file=sys.stderr)


def ls(options: Options) -> None:
    """Every stack of the project."""
    place = workspace()
    from_here = (selected(place) or "").split("/")[-1]
    found: list[dict[str, Any]] = []
    for name in stacks_of(place):
        store = StackStore(place.storage(name))
        entry: dict[str, Any] = {"name": name, "current": name == from_here}
        if store.resources:
            entry |= {"lastUpdate": store.deployment()["manifest"]["time"], "resourceCount": len(store.resources)}
        entry["updateInProgress"] = bool(place.bucket.keys(f"{LOCKS}/{ORGANIZATION}/{place.project}/{name}"))
        found.append(entry)
    if options.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{'NAME':<24}{'LAST UPDATE':<32}RESOURCE COUNT")
    for entry in found:
        name = f"{entry['name']}{'*' if entry['current'] else ''}"
        print(f"{name:<24}{entry.get('lastUpdate', 'n/a'):<32}{entry.get('resourceCount', 'n/a')}")


def stacks_of(place: Workspace) -> list[str]:
    """The names of the project's stacks."""
    prefix = f"{STACKS}/{place.project}/"
    names = [key.removeprefix(prefix) for key in place.bucket.keys(prefix)]
    return [name.removesuffix(".json") for name in names if name.endswith(".json") and "/" not in name]


def rm(options: Options) -> None:
    """Forget a stack that holds no resource."""
    place = workspace()
    name, storage, store = place.opened(options)
    _need_yes(options)
    with storage.held():
        if not options.force and any(resource.type != STACK_TYPE for resource in store.resources.values()):
            raise CommandError("refusing to remove stack because it still contains resources")
        storage.remove()
    if not options.preserve_config:
        (place.folder / f"Pulumi.{name}.yaml").unlink(missing_ok=True)
    print(f"Stack '{name}' has been removed!")


def output(options: Options) -> None:
    """The stack's outputs, or one of them."""
    _, _, store = workspace().opened(options)
    hidden = set(store.root.secrets) if store.root and not options.show_secrets else set[str]()
    outputs = {key: SECRET_SHOWN if key in hidden else value for key, value in sorted(store.outputs.items())}
    wanted: str | None = options.property_name
    if wanted is not None:
        if wanted not in outputs:
            raise CommandError(f"current stack does not have output property '{wanted}'")
        print(json.dumps(outputs[wanted], indent=2) if options.json else _plain(outputs[wanted]))
    elif options.json:
        print(json.dumps(outputs, indent=2))
    else:
        print(f"Current stack outputs ({len(outputs)}):")
        for key, value in outputs.items():
            print(f"    {key:<20} {_plain(value)}")


def export(options: Options) -> None:
    """The state as `{"version": 3, "deployment": {…}}`."""
    _, _, store = workspace().opened(options)
    text = json.dumps({"version": VERSION, "deployment": store.deployment()}, indent=4)
    if options.file:
        Path(options.file).write_text(text + "\n", encoding="utf-8")
    else:
        print(text)


def restore(options: Options) -> None:
    """Put a document of `stack export` in place of the state."""
    _, storage, _ = workspace().opened(options)
    text = Path(options.file).read_text(encoding="utf-8") if options.file else sys.stdin.read()
    try:
        document = json.loads(text)
        deployment = document["deployment"]
        version = document.get("version", VERSION)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CommandError(f"could not deserialize deployment: {error}") from error
    if version != VERSION:
        raise CommandError(
            f"could not deserialize deployment: version {version} is not supported; this reads {VERSION}"
        )
    with storage.held():
        store = StackStore(storage)
        store.restore(deployment)
        store.commit()
    print("Import complete.")


def cancel(options: Options) -> None:
    """Delete every lock on the stack."""
    name, storage = workspace().existing(options)
    _need_yes(options)
    storage.cancel()
    print(f"The currently running update for '{name}' has been canceled!")


def _need_yes(options: Options) -> None:
    if not options.yes:
        raise CommandError("non-interactive mode requires --yes flag", 2)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(blinded(value))
