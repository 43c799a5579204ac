"""`Pulumi.yaml` and `Pulumi.<stack>.yaml` as the program's configuration.

Pulumi hands a program its configuration as strings; an object is its JSON.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from rehearsal.engine.results import EngineError


class ProjectError(EngineError):
    """The project folder is not one that can be applied."""


@dataclass(frozen=True, kw_only=True)
class Project:
    """A Pulumi project and the configuration of one of its stacks."""

    folder: Path
    name: str
    stack: str
    config: dict[str, str]

    @property
    def main(self) -> Path:
        """The program's entry."""
        return self.folder / "__main__.py"


def load_project(
    folder: Path,
    stack: str,
    settings_override: Mapping[str, Any] | None = None,
    config_file: Path | None = None,
) -> Project:
    """Read the project; `settings_override` is merged deep into its `<project>:settings`. Raises ProjectError.

    `config_file` stands for `Pulumi.<stack>.yaml`, as `pulumi --config-file` has it.
    """
    folder = folder.resolve()
    document = _mapping(folder / "Pulumi.yaml")
    name = str(document.get("name") or "")
    if not name:
        raise ProjectError(f"{folder / 'Pulumi.yaml'}: `name` is missing")
    if not (folder / "__main__.py").is_file():
        raise ProjectError(f"{folder} has no __main__.py")
    stack_file = config_file or folder / f"Pulumi.{stack}.yaml"
    values = cast("dict[str, Any]", _mapping(stack_file).get("config") or {}) if stack_file.exists() else {}
    if not stack_file.exists() and settings_override is None:
        raise ProjectError(f"there is no {stack_file.name} in {folder}")
    config = {key if ":" in key else f"{name}:{key}": value for key, value in values.items()}
    if settings_override:
        key = f"{name}:settings"
        config[key] = _merged(config.get(key) or {}, settings_override)
    encoded = {key: _encode(stack_file, key, value) for key, value in config.items()}
    return Project(folder=folder, name=name, stack=stack, config=encoded)


def _mapping(path: Path) -> dict[str, Any]:
    try:
        document: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProjectError(f"{path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise ProjectError(f"{path}: {error}") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ProjectError(f"{path}: a mapping was expected")
    return cast("dict[str, Any]", document)


def _encode(path: Path, key: str, value: Any) -> str:
    if isinstance(value, dict) and "secure" in value:
        raise ProjectError(f"{path.name}: {key} is encrypted; the rehearsal has no key for it")
    return value if isinstance(value, str) else json.dumps(value)


def _merged(base: Mapping[str, Any], override: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in override.items():
        before = merged.get(key)
        if isinstance(before, dict) and isinstance(value, Mapping):
            merged[key] = _merged(cast("dict[str, Any]", before), cast("Mapping[str, Any]", value))
        else:
            merged[key] = value
    return merged
