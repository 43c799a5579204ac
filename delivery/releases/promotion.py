"""A released model carried from one account to the next: image, artefact, evaluation, package, proposal, release file.

Nothing is built or trained again: every byte is the one that was tested, its sha256 compared on both sides. Each step
looks at what is there first, so a promotion that was killed is finished by the next, and one that is done changes
nothing. The release file is written last, when everything that it pins was checked in its new place.
"""

from collections.abc import Callable
from dataclasses import dataclass

from delivery.errors import DeliveryError
from delivery.images import stack_images as images
from delivery.images.container_registry import parse_uri
from delivery.releases import artefacts, proposals
from delivery.releases.accounts import Account
from delivery.releases.artefacts import parse_location
from delivery.releases.check import require_good
from delivery.releases.packages import Package, find_package, find_promoted, register_promoted
from delivery.releases.proposals import Proposal
from models.release import Release, ReleaseError, load_releases, write_releases
from models.spec import ModelSpec

Told = Callable[[str], None]


class PromotionError(DeliveryError):
    """A model cannot be promoted; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """What a promotion came to."""

    release: Release
    changes: int
    """0 when everything was there already."""


def promote(spec: ModelSpec, source: Account, target: Account, told: Told) -> Promotion:
    """Carry the release of the model from the source's release file to the target's; `told` hears of each step.

    PromotionError where the source has no release of the model; RefusedReleaseError unless every check of the release
    holds in the source, and again in the target before it is released there.
    """
    release = load_releases(source.releases_file).get(spec.name)
    if release is None:
        raise PromotionError(
            f"{source.origin}: models.{spec.name}: nothing is released in {source.stack}; "
            f"right would be: drivetrain releases adopt {spec.name} --stack {source.stack}"
        )
    require_good(source, source.origin, spec, release)
    return _Promotion(spec, source, target, told).run(release)


class _Promotion:
    def __init__(self, spec: ModelSpec, source: Account, target: Account, told: Told) -> None:
        self._spec, self._source, self._target, self._told = spec, source, target, told
        self._bucket = target.names.bucket("artifacts")
        self._changes = 0

    def run(self, release: Release) -> Promotion:
        package = find_package(self._source.client("sagemaker"), release.package)
        execution = package.lineage.get("execution") if package is not None else None
        if package is None or execution is None:
            raise PromotionError(f"{release.package}: the registry does not say which execution it came from")
        image = self._image(release)
        artefact = self._artefact(release)
        evaluation = self._evaluation(package)
        arn = self._register(package, image=image, artefact=artefact, evaluation=evaluation)
        promoted = release.model_copy(update={"package": arn, "artefact": artefact, "image": image})
        self._propose(promoted, execution, package)
        require_good(self._target, self._target.origin, self._spec, promoted)
        self._write(promoted)
        return Promotion(release=promoted, changes=self._changes)

    def _image(self, release: Release) -> str:
        _, _, digest = parse_uri(release.image)
        copied = images.copy(self._source, self._target, "serving", digest)
        self._say(f"image {copied.uri}", changed=copied.changed)
        return copied.uri

    def _artefact(self, release: Release) -> str:
        here = parse_location(release.artefact)
        there = here.in_bucket(self._bucket)
        changed = artefacts.copy(
            self._source.client("s3"), self._target.client("s3"), here, there, release.artefact_sha256
        )
        self._say(f"artefact {there.uri} (sha256 {release.artefact_sha256[:12]}… on both sides)", changed=changed)
        return there.uri

    def _evaluation(self, package: Package) -> str:
        """The evaluation with its plots and the model card beside it."""
        file = parse_location(package.evaluation)
        folder = artefacts.Location(bucket=file.bucket, key=file.key.rpartition("/")[0] + "/")
        copied = artefacts.copy_folder(
            self._source.client("s3"), self._target.client("s3"), folder, folder.in_bucket(self._bucket)
        )
        self._say(f"evaluation and model card {folder.in_bucket(self._bucket).uri}", changed=copied > 0)
        return file.in_bucket(self._bucket).uri

    def _register(self, package: Package, *, image: str, artefact: str, evaluation: str) -> str:
        sagemaker, group = self._target.client("sagemaker"), self._target.names.package_group(self._spec.name)
        found = find_promoted(sagemaker, group, package.arn)
        arn = (
            found.arn
            if found is not None
            else register_promoted(sagemaker, package, group, image=image, artefact=artefact, evaluation=evaluation)
        )
        self._say(f"package {arn}", changed=found is None)
        return arn

    def _propose(self, release: Release, execution: str, package: Package) -> None:
        """The target's own signed proposal, which its checks ask for: here it is signed by who promotes."""
        s3, key = self._target.client("s3"), self._target.signing_key
        found = proposals.find_proposal(s3, self._bucket, self._spec.name, execution)
        changed = found is None or found.release != release or not _is_signed(found, self._target)
        if changed:
            document = release.model_dump_json()
            text = proposals.proposal_text(
                document,
                signature=key.sign(proposals.message(document)),
                key=key.key_id,
                promoted_from=package.arn,
            )
            location = proposals.proposal_key(self._spec.name, execution)
            s3.put_object(Bucket=self._bucket, Key=location, Body=text.encode(), ContentType="application/json")
        self._say(f"proposal of {execution}, signed by {key.key_id}", changed=changed)

    def _write(self, release: Release) -> None:
        try:
            releases = load_releases(self._target.releases_file)
        except ReleaseError as error:
            raise PromotionError(f"{error}; correct or remove it first") from error
        changed = releases.get(self._spec.name) != release
        if changed:
            write_releases(self._target.releases_file, {**releases, self._spec.name: release})
        self._say(self._target.origin, changed=changed)

    def _say(self, what: str, *, changed: bool) -> None:
        self._changes += changed
        self._told(f"{'copied' if changed else 'was there:'} {what}")


def _is_signed(proposal: Proposal, account: Account) -> bool:
    return any(account.signing_key.verifies(message, proposal.signature) for message in proposal.signed_messages)
