"""Calls and fields that moto 5.2.5 lacks, one module per service, each with `install()`.

moto finds a call by the method of that name on the service's response class, so a gap is filled by adding the method.
`install` may run twice in a process and does the same as once.
"""

import importlib
import pkgutil


def install_all() -> None:
    """Fill every gap; to be called once moto is imported and before the first request."""
    for module_info in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module_info.name}").install()
