"""Whether a release may go live: every pin in it is looked up and every byte hashed, before anything is deployed.

All that is wrong is told at once, one line each, with what would be right. Nothing a release says of itself is
believed: the release has to be the very document that the stack's key signed.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from delivery import proposals
from delivery.accounts import Account
from delivery.artefacts import ArtefactError, Contents, parse_location, read_contents
from delivery.container_registry import RegistryError, parse_uri
from delivery.errors import DeliveryError
from delivery.image_signatures import unsigned_because
from delivery.images import repository
from delivery.packages import Package, find_package
from delivery.proposals import Proposal
from delivery.signing import SigningError
from models.release import Release, ReleaseError, load_releases
from models.spec import ModelSpec, discover
from training.gates import judge


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong with a release."""

    origin: str
    model: str
    key: str
    """Empty for the release as a whole."""
    said: str

    def __str__(self) -> str:
        place = f"models.{self.model}.{self.key}" if self.key else f"models.{self.model}"
        return f"{self.origin}: {place}: {self.said}"


class RefusedReleaseError(DeliveryError):
    """Releases that may not go live; the message holds one line per finding."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))


def check_file(account: Account, models_dir: Path, only: str | None = None) -> tuple[list[str], list[Finding]]:
    """Check every release in the stack's release file, or one model's: which models were looked at, and what is wrong.

    ReleaseError for a file that is no release file, or one that does not hold the model asked for.
    """
    releases = load_releases(account.releases_file)
    if only is not None and only not in releases:
        held = ", ".join(sorted(releases)) or "none"
        raise ReleaseError(f"{account.origin}: models.{only}: nothing is released; released models are: {held}")
    specs = {spec.name: spec for spec in discover(models_dir)}
    models = sorted(releases) if only is None else [only]
    findings = [
        finding for model in models for finding in check(account, account.origin, specs, model, releases[model])
    ]
    return models, findings


def check(account: Account, origin: str, specs: Mapping[str, ModelSpec], model: str, release: Release) -> list[Finding]:
    """Everything that is wrong with one release; `origin` is where it stands, such as `releases/dev.toml`."""
    spec = specs.get(model)
    if spec is None:
        known = ", ".join(sorted(specs)) or "none"
        said = f"there is no such model in models/; models are: {known}"
        return [Finding(origin=origin, model=model, key="", said=said)]
    checked = _Check(account, spec, release)
    return [Finding(origin=origin, model=model, key=key, said=said) for key, said in checked.run()]


def require_good(account: Account, origin: str, spec: ModelSpec, release: Release) -> None:
    """RefusedReleaseError unless nothing is wrong with the release."""
    if findings := check(account, origin, {spec.name: spec}, spec.name, release):
        raise RefusedReleaseError(findings)


class _Check:
    """The checks of one release. Each yields the key that is wrong, and what would be right."""

    def __init__(self, account: Account, spec: ModelSpec, release: Release) -> None:
        self._account, self._spec, self._release = account, spec, release
        self._bucket = account.names.bucket("artifacts")
        self._s3 = account.client("s3")

    def run(self) -> list[tuple[str, str]]:
        package = find_package(self._account.client("sagemaker"), self._release.package)
        return [
            *self._proposal(package),
            *self._registered(package),
            *self._artefact(),
            *self._image(),
            *self._gates(package),
        ]

    def _proposal(self, package: Package | None) -> list[tuple[str, str]]:
        """The release is the document that was signed, key for key."""
        proposal = self._find_proposal(package)
        if proposal is None:
            return [("", f"no proposal of it lies in s3://{self._bucket}/proposals/{self._spec.name}/")]
        found: list[tuple[str, str]] = []
        try:
            key = self._account.signing_key
            if not any(key.verifies(message, proposal.signature) for message in proposal.signed_messages):
                said = f"the signature of its proposal {proposal.location} is not one by {key.key_id}"
                found.append(("", f"{said}; the proposal was changed after it was signed, or somebody else signed it"))
        except SigningError as error:
            found.append(("", str(error)))
        held, signed = self._release.model_dump(), proposal.release.model_dump()
        found += [
            (name, f"is {held[name]}, but the proposal that was signed ({proposal.location}) says {signed[name]}")
            for name in held
            if held[name] != signed[name]
        ]
        return found

    def _find_proposal(self, package: Package | None) -> Proposal | None:
        model = self._spec.name
        if package is not None and (execution := package.lineage.get("execution")):
            return proposals.find_proposal(self._s3, self._bucket, model, execution)
        return proposals.closest(proposals.list_proposals(self._s3, self._bucket, model), self._release)

    def _registered(self, package: Package | None) -> list[tuple[str, str]]:
        names, release = self._account.names, self._release
        group = names.package_group(self._spec.name)
        if package is None:
            right = f"arn:aws:sagemaker:{names.region}:{names.account_id}:model-package/{group}/<version>"
            return [("package", f"the registry has no package {release.package}; right would be {right}")]
        found: list[tuple[str, str]] = []
        if package.group != group:
            found.append(("package", f"is a version of {package.group}; right would be a version of {group}"))
        if package.approval != "Approved":
            found.append(("package", f"{release.package} is {package.approval}; only what is Approved goes live"))
        for key, value in (
            ("artefact", package.container.get("ModelDataUrl")),
            ("image", package.container.get("Image")),
            ("manifest_sha256", package.manifest_sha256),
            ("snapshot", package.lineage.get("snapshot")),
        ):
            if value != getattr(release, key):
                found.append((key, f"is {getattr(release, key)}, but {release.package} was registered with {value}"))
        return found

    def _artefact(self) -> list[tuple[str, str]]:
        release, location = self._release, parse_location(self._release.artefact)
        if location.bucket != self._bucket:
            return [
                ("artefact", f"{location.uri} is not in the stack's own bucket; right would be s3://{self._bucket}/…")
            ]
        try:
            contents = read_contents(self._s3, location)
        except ArtefactError as error:
            return [("artefact", str(error))]
        return [
            (key, f"is {getattr(release, key)}, but {what.format(location.uri)} {value}")
            for key, what, value in _pinned(contents)
            if getattr(release, key) != value
        ]

    def _image(self) -> list[tuple[str, str]]:
        names = self._account.names
        try:
            registry, name, digest = parse_uri(self._release.image)
            there = repository(self._account, names.repository("serving"))
            if (registry, name) != (there.registry, there.name):
                said = f"{self._release.image} is not in the stack's own repository"
                return [("image", f"{said}; right would be {there.uri(digest)}")]
            if there.find(digest=digest) is None:
                said = f"the repository {name} has no image {digest}"
                return [("image", f"{said}; right would be the digest of one that `drivetrain images plan` lists")]
            reason = unsigned_because(there, digest, self._account.signing_key)
        except (RegistryError, SigningError) as error:
            reason = str(error)
        return [("image", reason)] if reason else []

    def _gates(self, package: Package | None) -> list[tuple[str, str]]:
        """The model's own gates over the metrics that the release pins; better than released was judged when it was."""
        if package is None:
            return []
        metrics = self._release.metrics
        missing = sorted({gate.metric for gate in self._spec.gates} - set(metrics))
        if missing:
            return [
                ("metrics", f"{metric} is missing, which models/{self._spec.table} has a gate on") for metric in missing
            ]
        evaluation = self._evaluation(package.evaluation)
        if evaluation is None:
            return [("metrics", f"the evaluation {package.evaluation or '(none)'} of {package.arn} is not there")]
        results = judge(self._spec.gates, metrics, evaluation["baseline"], None)
        return [("metrics", f"gate {result.reason}") for result in results if not result.passed]

    def _evaluation(self, uri: str) -> dict[str, Any] | None:
        location = parse_location(uri)
        try:
            body = self._s3.get_object(Bucket=location.bucket, Key=location.key)["Body"].read() if uri else b""
            document: Any = json.loads(body)
            return document if "baseline" in document else None
        except (self._s3.exceptions.NoSuchKey, self._s3.exceptions.NoSuchBucket, ValueError, TypeError):
            return None


def _pinned(contents: Contents) -> list[tuple[str, str, str]]:
    """What the artefact itself says of the pins: key, where it says so, value."""
    dataset: Any = contents.manifest.get("dataset") or {}
    return [
        ("artefact_sha256", "the bytes of {} have", contents.sha256),
        ("manifest_sha256", "manifest.json in {} has", contents.manifest_sha256),
        ("snapshot", "manifest.json in {} says", str(dataset.get("snapshot_id", "none"))),
        ("commit", "manifest.json in {} says", str(contents.manifest.get("git_commit", "none"))),
    ]
