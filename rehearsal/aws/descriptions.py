"""botocore's descriptions of the services, each read once: moto makes a session, and so a reader, for nearly every use.

They are megabytes of JSON: reading them again would be a third of what the server does while a stack is applied.
moto itself reads its own, and keeps them: it writes additions of its own into what it read. The list of its services it
gathers from its folders for every request, which is read once as well.
"""

import functools
from typing import Any

from botocore.loaders import JSONFileLoader
from moto import backends
from moto.core.loaders import Loader

_load = JSONFileLoader.load_file
_services = backends.list_of_moto_modules


@functools.cache
def _loaded(path: str) -> Any:
    return _load(JSONFileLoader(), path)


class _Own(JSONFileLoader):
    """Reads anew, whatever the others share."""

    load_file = _load


@functools.cache
def _listed() -> tuple[str, ...]:
    return tuple(_services())


def read_once() -> None:
    """Have every session and every request of this process share them."""
    backends.list_of_moto_modules = _listed
    Loader.FILE_LOADER_CLASS = _Own
    JSONFileLoader.load_file = lambda self, file_path: _loaded(file_path)  # noqa: ARG005 - as botocore declares it
