"""The specification and the baseline of a released model, out of the very artefact that serves."""

import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from delivery.releases.artefacts import ArtefactError, parse_location
from models.explain import explain
from models.release import Release
from models.spec import ModelSpec
from monitoring.baseline import BASELINE_FILE, Baseline, Value, without_personal

SPEC_FILE = "spec.json"


@dataclass(frozen=True, kw_only=True)
class ReleasedModel:
    """What is served, and how it was trained."""

    spec: ModelSpec
    baseline: Baseline
    release: Release

    @property
    def rows(self) -> list[dict[str, Value]]:
        """Rows of training data, features only; what the artefact holds not, is made from the specification."""
        sample = [{name: row.get(name) for name in self.spec.features} for row in self.baseline.sample]
        return sample or [made_up_row(self.spec)]


def read_released(s3: Any, release: Release) -> ReleasedModel:
    """Fetch the artefact; ArtefactError when it is not the released one, SpecError or ArtefactError for its content."""
    location = parse_location(release.artefact)
    body: bytes = s3.get_object(Bucket=location.bucket, Key=location.key)["Body"].read()
    digest = hashlib.sha256(body).hexdigest()
    if digest != release.artefact_sha256:
        raise ArtefactError(f"{location.uri}: sha256 is {digest}, but the release says {release.artefact_sha256}")
    files = _members(body, location.uri)
    spec = ModelSpec.from_json(files[SPEC_FILE].decode(), origin=f"{location.uri}: {SPEC_FILE}")
    try:
        baseline = Baseline.model_validate_json(files[BASELINE_FILE])
    except ValidationError as error:
        raise ArtefactError(explain(f"{location.uri}: {BASELINE_FILE}", error)) from error
    return ReleasedModel(spec=spec, baseline=without_personal(baseline, spec), release=release)


def _members(body: bytes, origin: str) -> Mapping[str, bytes]:
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as archive:
            for member in archive:
                name = member.name.removeprefix("./")
                if name in (SPEC_FILE, BASELINE_FILE) and (file := archive.extractfile(member)) is not None:
                    found[name] = file.read()
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ArtefactError(f"{origin}: no readable artefact: {error}") from error
    if missing := {SPEC_FILE, BASELINE_FILE} - found.keys():
        raise ArtefactError(f"{origin}: it holds no {', '.join(sorted(missing))}")
    return found


def made_up_row(spec: ModelSpec) -> dict[str, Value]:
    """A row that the specification lets pass: numbers from the middle of their range, the first of the categories."""
    return {column.name: column.stand_in for column in spec.feature_columns}
