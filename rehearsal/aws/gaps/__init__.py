"""What moto 5.2.5 lacks, one small module per gap, each with `install()`, and with what stays different in `NOTES`.

moto finds a call by the method of that name on the service's response class, so a gap is filled by adding the method.
`install` may run twice in a process and does the same as once. `NOTES` end up in FIDELITY.md: what the rehearsal does
otherwise than AWS is said there, never implied.
"""

import importlib
import pkgutil
from types import ModuleType


def modules() -> list[ModuleType]:
    """Every gap module, by name."""
    return [
        importlib.import_module(f"{__name__}.{found.name}")
        for found in sorted(pkgutil.iter_modules(__path__), key=lambda found: found.name)
    ]


def install_all() -> None:
    """Fill every gap; to be called once moto is imported and before the first request."""
    for module in modules():
        module.install()


def notes() -> dict[str, tuple[str, ...]]:
    """What each gap module says about itself, by module name; modules without notes are left out."""
    found = {module.__name__.rpartition(".")[2]: tuple(getattr(module, "NOTES", ())) for module in modules()}
    return {name: texts for name, texts in found.items() if texts}


def replace(owner: object, **members: object) -> None:
    """Put our functions in the place of moto's."""
    for name, member in members.items():
        setattr(owner, name, member)
