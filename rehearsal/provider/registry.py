"""The handler of every resource type the rehearsal knows.

Each module of this folder that serves a service ends with `HANDLERS: tuple[ResourceHandler, ...]`; adding such a module
is all it takes to add its types. A type served twice is an error, not a matter of import order.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import rehearsal.provider as package
from rehearsal.provider.handler import ResourceHandler


class UnknownResourceTypeError(Exception):
    """The program declares a type that no handler of the rehearsal serves."""

    def __init__(self, token: str) -> None:
        super().__init__(
            f"the rehearsal has no handler for {token}; add one to a module of rehearsal/provider/ (see registry.py)"
        )


@cache
def handlers() -> Mapping[str, ResourceHandler]:
    """Every handler by its type token, such as `aws:s3/bucket:Bucket`."""
    found: dict[str, ResourceHandler] = {}
    for module_info in pkgutil.iter_modules(package.__path__):
        if module_info.ispkg or module_info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package.__name__}.{module_info.name}")
        served: tuple[ResourceHandler, ...] = getattr(module, "HANDLERS", ())
        for handler in served:
            if handler.token in found:
                raise ValueError(f"{handler.token} is served twice, once by {module.__name__}")
            found[handler.token] = handler
    return MappingProxyType(found)


def handler_of(token: str) -> ResourceHandler:
    """The handler of `token`; raises UnknownResourceTypeError."""
    try:
        return handlers()[token]
    except KeyError:
        raise UnknownResourceTypeError(token) from None
