"""Which properties of a type are inputs, told by the installed pulumi-aws SDK: an import has only outputs to go by."""

import importlib
import inspect
from functools import cache
from typing import Any

_OPTIONS = frozenset({"self", "__self__", "resource_name", "opts", "__props__"})


@cache
def input_names(token: str) -> frozenset[str]:
    """The inputs of `aws:s3/bucket:Bucket` in camelCase; empty for a type the SDK does not have."""
    _, module_path, name = token.split(":")
    module: Any = importlib.import_module(f"pulumi_aws.{module_path.split('/', maxsplit=1)[0]}")
    resource = getattr(module, name, None)
    if resource is None:
        return frozenset()
    parameters = inspect.signature(resource._internal_init).parameters
    return frozenset(_camel(parameter) for parameter in parameters if parameter not in _OPTIONS)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)
