"""The models of a checkout, held against everything that can be known of them before anything is deployed."""

from pathlib import Path

from infra.instance_types import check_instance_types
from models.spec import SPEC_FILE, ModelSpec, SpecError, discover, find_spec

NETWORK_FILE = "network.py"


def checked_models(project_dir: Path) -> tuple[ModelSpec, ...]:
    """Every model of the project, by name; SpecError for a folder, file, key or machine that is not right."""
    return tuple(_checked(project_dir, spec) for spec in discover(project_dir / "models"))


def checked_model(project_dir: Path, name: str) -> ModelSpec:
    """That model alone: the stack of one model reads no other."""
    return _checked(project_dir, find_spec(project_dir / "models", name))


def model_names(project_dir: Path) -> list[str]:
    """The names of the models there are, read from their folders alone."""
    return sorted(path.parent.name.replace("_", "-") for path in (project_dir / "models").glob(f"*/{SPEC_FILE}"))


def _checked(project_dir: Path, spec: ModelSpec) -> ModelSpec:
    check_instance_types(spec)
    network = project_dir / "models" / spec.table / NETWORK_FILE
    if not network.is_file():
        raise SpecError(f"models/{spec.table}/{NETWORK_FILE}: no such file; it holds the network of {spec.name}")
    return spec
