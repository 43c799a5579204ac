"""The pins of a release, looked up one by one: proposal, package, artefact, image, gates."""

import json
from typing import Any

from pydantic import ValidationError

from delivery.images.container_registry import RegistryError, parse_uri
from delivery.images.signatures import unsigned_because
from delivery.images.stack_images import repository
from delivery.releases import proposals
from delivery.releases.accounts import Account
from delivery.releases.artefacts import ArtefactError, Contents, parse_location, read_contents
from delivery.releases.packages import Package, find_package
from delivery.releases.proposals import Proposal
from delivery.releases.signing import SigningError
from models.release import Release
from models.schema import Gate
from models.spec import ModelSpec
from training.gates import judge


class Pins:
    """The pins of one release. What is wrong comes as the key, and what it should be."""

    def __init__(self, account: Account, spec: ModelSpec, release: Release, *, anew: bool) -> None:
        self._account, self._spec, self._release, self._anew = account, spec, release, anew
        self._bucket = account.names.bucket("artifacts")
        self._s3 = account.client("s3")

    def wrong(self) -> list[tuple[str, str]]:
        """Look up every pin: each that is wrong, by key, all of them."""
        package = find_package(self._account.client("sagemaker"), self._release.package)
        contents, unreadable = self._artefact()
        return [
            *self._proposal(package),
            *self._registered(package),
            *unreadable,
            *(self._pins(contents) if contents is not None else ()),
            *self._image(),
            *(self._gates(package, contents) if package is not None and contents is not None else ()),
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

    def _artefact(self) -> tuple[Contents | None, list[tuple[str, str]]]:
        location = parse_location(self._release.artefact)
        if location.bucket != self._bucket:
            said = f"{location.uri} is not in the stack's own bucket; right would be s3://{self._bucket}/…"
            return None, [("artefact", said)]
        try:
            return read_contents(self._s3, location), []
        except ArtefactError as error:
            return None, [("artefact", str(error))]

    def _pins(self, contents: Contents) -> list[tuple[str, str]]:
        release = self._release
        return [
            (key, f"is {getattr(release, key)}, but {what.format(release.artefact)} {value}")
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

    def _gates(self, package: Package, contents: Contents) -> list[tuple[str, str]]:
        """The gates over the metrics that the release pins; better than the released one was judged when it was."""
        try:
            gates = self._spec.gates if self._anew else [Gate.model_validate(each) for each in contents.spec["gates"]]
        except (ValidationError, KeyError, TypeError):
            return [("artefact", f"spec.json in {self._release.artefact} holds no gates")]
        metrics = self._release.metrics
        missing = sorted({gate.metric for gate in gates} - set(metrics))
        if missing:
            return [("metrics", f"{metric} is missing, which there is a gate on") for metric in missing]
        evaluation = self._evaluation(package.evaluation)
        if evaluation is None:
            return [("metrics", f"the evaluation {package.evaluation or '(none)'} of {package.arn} is not there")]
        results = judge(gates, metrics, evaluation["baseline"], None)
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
