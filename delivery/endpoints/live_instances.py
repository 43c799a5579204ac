"""The instances that endpoints have now, handed to the program through a copy of the stack's configuration file.

`pulumi up --config` would write them into the file that is in git, and the environment is no place for what a plan
depends on: so one run reads a copy with one key more.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from delivery.endpoints.live import find_endpoint

LIVE_INSTANCES = "drivetrain:live-instances"


def live_instances(sagemaker: Any, endpoints: Mapping[str, str]) -> dict[str, int]:
    """Instances by model, of those models whose endpoint has any; `endpoints` are their names by the model's."""
    found: dict[str, int] = {}
    for model, name in endpoints.items():
        live = find_endpoint(sagemaker, name)
        instances = max((variant.instances for variant in live.variants), default=0) if live else 0
        if instances:
            found[model] = instances
    return found


@contextmanager
def configuration_with(config_file: Path, instances: Mapping[str, int]) -> Generator[Path]:
    """A copy of the stack's configuration with the instances in it, there as long as the context lasts."""
    document: dict[str, Any] = yaml.safe_load(config_file.read_text(encoding="utf-8"))
    if instances:
        document["config"] = {**document.get("config", {}), LIVE_INSTANCES: dict(instances)}
    with TemporaryDirectory(prefix="drivetrain-") as folder:
        copy = Path(folder) / config_file.name
        copy.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        yield copy
