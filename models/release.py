"""The release file of a stack, `releases/<stack>.toml`: what is live, pinned down to digests, one table per model."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from models.explain import explain
from models.schema import Section

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ReleaseError(Exception):
    """A release file or proposal is not right; the message names file and key."""


class Release(Section):
    """One model as it is live."""

    package: Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\d{12}:model-package/.+$")]
    artefact: Annotated[str, Field(pattern=r"^s3://[^/]+/.+\.tar\.gz$")]
    artefact_sha256: Sha256
    manifest_sha256: Sha256
    """Of `manifest.json` in the artefact, which in turn holds the sha256 of every other file."""
    image: Annotated[str, Field(pattern=r"^.+@sha256:[0-9a-f]{64}$")]
    snapshot: Annotated[str, Field(pattern=r"^\d+$")]
    """The Iceberg snapshot it was trained on; text, because an int64 does not survive JSON everywhere."""
    commit: str
    metrics: dict[str, float]


class _ReleaseFile(Section):
    models: dict[str, Release] = Field(default_factory=dict)


def load_releases(path: Path) -> dict[str, Release]:
    """The releases in the file by model name; none when there is no file. ReleaseError for a file that is wrong."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ReleaseError(f"{path.name}: no valid TOML: {error}") from error
    try:
        return _ReleaseFile.model_validate(document).models
    except ValidationError as error:
        raise ReleaseError(explain(path.name, error)) from error


def parse_release(text: str, origin: str) -> Release:
    """The release that a pipeline proposes, as JSON."""
    try:
        return Release.model_validate_json(text)
    except ValidationError as error:
        raise ReleaseError(explain(origin, error)) from error


def write_releases(path: Path, releases: Mapping[str, Release]) -> None:
    """Write the file whole or not at all, the same bytes for the same releases."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join(_table(name, releases[name]) for name in sorted(releases))
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def _table(name: str, release: Release) -> str:
    fields = release.model_dump(exclude={"metrics"})
    lines = [
        f"[models.{name}]",
        *(f'{key} = "{value}"' for key, value in fields.items()),
        "",
        f"[models.{name}.metrics]",
    ]
    lines += [f"{key} = {value!r}" for key, value in sorted(release.metrics.items())]
    return "\n".join(lines) + "\n"
