"""The models of a checkout, held against everything that can be known of them before anything is deployed."""

from pathlib import Path

from infra.instance_types import check_instance_types
from models.spec import ModelSpec, SpecError, discover

NETWORK_FILE = "network.py"


def checked_models(project_dir: Path) -> tuple[ModelSpec, ...]:
    """Every model of the project, by name; SpecError for a folder, file, key or machine that is not right."""
    specs = discover(project_dir / "models")
    for spec in specs:
        check_instance_types(spec)
        network = project_dir / "models" / spec.table / NETWORK_FILE
        if not network.is_file():
            raise SpecError(f"models/{spec.table}/{NETWORK_FILE}: no such file; it holds the network of {spec.name}")
    return specs
