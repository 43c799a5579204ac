"""Which stacks a change touches: from the paths that changed, with nothing asked of AWS.

A path that no rule knows touches everything: a deployment too many changes nothing, one too few leaves git and AWS
apart.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from infra.scope import model_stack
from infra.settings import Settings
from models.spec import SPEC_FILE

_NOTHING = (
    "benchmarks",
    "bootstrap",  # a project of its own, see `drivetrain bootstrap`
    "cli",
    "delivery",
    "docs",
    "rehearsal",
    "tests",
    "infra/bootstrap",
    "infra/policies",  # they judge a stack and declare none of it
    ".ci",
    ".github",
    ".gitignore",
    "LICENSE",
    "Makefile",
    "pyproject.toml",  # what it pins reaches the program through the locks
    "monitoring/grafana",  # they watch the containers and are in none
    "monitoring/prometheus",
    "requirements/dev.lock",
)
_IN_IMAGES_AND_JOBS = (
    "lake",
    "monitoring",
    "serving",
    "training",
    ".dockerignore",
    "requirements/installer.lock",
    "requirements/lake.lock",
    "requirements/serving.lock",
    "requirements/training.lock",
)


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One environment of the checkout, with its releases before the change and after it, each as TOML."""

    settings: Settings
    releases_before: str = ""
    releases_after: str = ""

    @property
    def name(self) -> str:
        """Such as `dev`."""
        return self.settings.stack


@dataclass
class _Touched:
    platform: bool
    models: set[str]
    removed: set[str]


def affected(
    paths: Iterable[str], environments: Sequence[Environment], models: Sequence[str]
) -> dict[str, dict[str, list[str]]]:
    """The stacks to deploy, by environment.

    Such as `{"dev": {"platform": ["dev"], "models": ["dev-auto-mpg"], "removed": []}}`: the platform first, then the
    models' at once.
    `models` are those of the checkout. With `scope: stack` everything an environment has is its one stack, under
    `platform`. `removed` are stacks whose model's folder is gone; nothing deploys them.
    """
    changed = [PurePosixPath(path) for path in paths]
    return {each.name: _stacks(_touched(changed, each, models), each.settings) for each in environments}


def _touched(paths: Iterable[PurePosixPath], environment: Environment, models: Sequence[str]) -> _Touched:
    touched = _Touched(platform=False, models=set(), removed=set())
    everything = {*models}
    releases = PurePosixPath(environment.settings.releases)
    for path in paths:
        if _below(path, _NOTHING) or (path.suffix == ".md" and path.parent.name == ""):
            continue
        if _below(path, _IN_IMAGES_AND_JOBS):
            touched.models |= everything
        elif path.parent == releases:
            touched.models |= _changed_releases(path, environment) & everything
        elif path.parts[0] == "models" and len(path.parts) > 2:
            _touch_model(touched, path, everything)
        elif not _of_another(path, environment):
            touched.platform, touched.models = True, touched.models | everything
    return touched


def _touch_model(touched: _Touched, path: PurePosixPath, everything: set[str]) -> None:
    """What a model is said to be stands on the platform's dashboard too; its code is its own."""
    model = path.parts[1].replace("_", "-")
    if path.name == SPEC_FILE:
        touched.platform = True
    (touched.models if model in everything else touched.removed).add(model)


def _changed_releases(path: PurePosixPath, environment: Environment) -> set[str]:
    if path.name != f"{environment.name}.toml":
        return set()
    before, after = _entries(environment.releases_before), _entries(environment.releases_after)
    return {model for model in {*before, *after} if before.get(model) != after.get(model)}


def _entries(text: str) -> Mapping[str, Any]:
    """The file's tables by model; what is wrong with a file is said by the program that it is for."""
    try:
        return tomllib.loads(text).get("models", {})
    except tomllib.TOMLDecodeError:
        return {}


def _of_another(path: PurePosixPath, environment: Environment) -> bool:
    """Whether it is the settings file of another environment."""
    is_settings = len(path.parts) == 1 and path.name.startswith("Pulumi.") and path.name != "Pulumi.yaml"
    return is_settings and path.name != f"Pulumi.{environment.name}.yaml"


def _below(path: PurePosixPath, folders: Iterable[str]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


def _stacks(touched: _Touched, settings: Settings) -> dict[str, list[str]]:
    environment = settings.stack
    if settings.scope == "stack":
        any_of_it = touched.platform or touched.models or touched.removed
        return {"platform": [environment] if any_of_it else [], "models": [], "removed": []}
    return {
        "platform": [environment] if touched.platform else [],
        "models": [model_stack(environment, model) for model in sorted(touched.models)],
        "removed": [model_stack(environment, model) for model in sorted(touched.removed)],
    }
