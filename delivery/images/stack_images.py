"""The images of a stack: which ones its sources make, whether they are there and signed, and copies in other accounts.

An image is built once, by content, and then copied: the digest that was tested in one account is the one that runs in
the next. What is attached to it goes along: signatures and attestations, under tags of cosign's or as referrers.
"""

from dataclasses import dataclass
from pathlib import Path

from delivery.images.container_registry import Manifest, RegistryError, Repository
from delivery.images.signatures import attached_tag, is_signed, sign, signatures, unsigned_because
from delivery.releases.accounts import Account
from infra.names import IMAGES, Image
from infra.sources import content_tag, content_tags


@dataclass(frozen=True, kw_only=True)
class PlannedImage:
    """An image as the present sources make it, and what of it the registry has."""

    image: Image
    registry: str
    repository: str
    tag: str
    digest: str | None
    """None when it has to be built and pushed."""
    signed: bool
    key: str
    """The key that signs it, as cosign is told of it."""

    @property
    def uri(self) -> str | None:
        """The image by digest."""
        return None if self.digest is None else f"{self.registry}/{self.repository}@{self.digest}"


@dataclass(frozen=True, kw_only=True)
class CopiedImage:
    """An image in the target account; `changed` is false when everything of it was there already."""

    uri: str
    changed: bool


def repository(account: Account, name: str) -> Repository:
    """A repository of the stack's registry."""
    return Repository(client=account.client("ecr"), registry=account.names.registry, name=name)


def plan(account: Account, project_dir: Path) -> list[PlannedImage]:
    """Every image of the stack. RegistryError when a repository is not there yet."""
    return [_planned(account, project_dir, image) for image in IMAGES]


def unsigned(account: Account, project_dir: Path) -> list[str]:
    """One line for each image of the present sources that is missing or not signed by the stack's key."""
    said: list[str] = []
    for planned in plan(account, project_dir):
        if planned.digest is None:
            said.append(f"{planned.repository}:{planned.tag} is not in {planned.registry}; build, push and sign it")
        elif not planned.signed:
            there = repository(account, planned.repository)
            said.append(unsigned_because(there, planned.digest, account.signing_key))
    return said


def sign_present(account: Account, project_dir: Path) -> list[tuple[str, bool]]:
    """Sign every image of the present sources; its URI, and whether that was still to do. RegistryError for none."""
    done: list[tuple[str, bool]] = []
    for planned in plan(account, project_dir):
        if planned.digest is None:
            raise RegistryError(f"{planned.repository}:{planned.tag} is not in {planned.registry}; push it first")
        there = repository(account, planned.repository)
        done.append((there.uri(planned.digest), sign(there, planned.digest, account.signing_key)))
    return done


def copy_present(source: Account, target: Account, project_dir: Path) -> list[CopiedImage]:
    """Copy every image of the present sources. RegistryError for one that the source does not have."""
    copied: list[CopiedImage] = []
    for planned in plan(source, project_dir):
        if planned.digest is None:
            raise RegistryError(
                f"{planned.repository}:{planned.tag} is not in {planned.registry}; build, push and sign it there first"
            )
        # A model that has not changed looks for an older image, which the target lacks if it never came so far.
        for digest in sorted({planned.digest, *_of_models(source, project_dir, planned)}):
            copied.append(copy(source, target, planned.image, digest))
    return copied


def tag_models(account: Account, project_dir: Path) -> list[str]:
    """Put every present image under the tags of the models that have none yet; what was put, as `repository:tag`.

    A model's tag names what the model uses of the image (`infra.sources.content_tag`): while another model changes it
    stays, and so does the image behind it.
    """
    tagged: list[str] = []
    for planned in plan(account, project_dir):
        there = repository(account, planned.repository)
        manifest = there.find(digest=planned.digest) if planned.digest else None
        if manifest is None:
            continue
        for tag in content_tags(project_dir, planned.image):
            if there.find(tag=tag) is None:
                there.put(manifest, tag)
                tagged.append(f"{planned.repository}:{tag}")
    return tagged


def _of_models(account: Account, project_dir: Path, planned: PlannedImage) -> list[str]:
    there = repository(account, planned.repository)
    found = [there.find(tag=tag) for tag in content_tags(project_dir, planned.image)]
    return [manifest.digest for manifest in found if manifest is not None]


def copy(source: Account, target: Account, image: Image, digest: str) -> CopiedImage:
    """Copy the image of that digest with its content tag and what is attached to it, and countersign it.

    RegistryError unless the source's own key signed it: what nobody vouches for is not carried on.
    """
    here = repository(source, source.names.repository(image))
    there = repository(target, target.names.repository(image))
    manifest = here.find(digest=digest)
    if manifest is None:
        raise RegistryError(f"{here.uri(digest)} is not there")
    if reason := unsigned_because(here, digest, source.signing_key):
        raise RegistryError(reason)
    changed = False
    for tag in here.tags(digest):
        changed |= _copy_manifest(here, there, manifest, tag)
    changed |= _copy_attached(here, there, digest)
    changed |= sign(there, digest, target.signing_key, kept=signatures(here, digest))
    return CopiedImage(uri=there.uri(digest), changed=changed)


def _planned(account: Account, project_dir: Path, image: Image) -> PlannedImage:
    there = repository(account, account.names.repository(image))
    tag = content_tag(project_dir, image)
    found = there.find(tag=tag)
    return PlannedImage(
        image=image,
        registry=there.registry,
        repository=there.name,
        tag=tag,
        digest=found.digest if found else None,
        signed=found is not None and is_signed(there, found.digest, account.signing_key),
        key=account.signing_key.cosign_reference,
    )


def _copy_attached(here: Repository, there: Repository, digest: str) -> bool:
    """Attestations: under cosign's tag, as version 2 has them, and as referrers of the image, as version 3 has them."""
    tag = attached_tag(digest, "att")
    tagged = here.find(tag=tag)
    changed = tagged is not None and _copy_manifest(here, there, tagged, tag)
    for referrer in here.referrers(digest):
        manifest = here.find(digest=referrer)
        changed |= manifest is not None and _copy_manifest(here, there, manifest, None)
    return changed


def _copy_manifest(here: Repository, there: Repository, manifest: Manifest, tag: str | None) -> bool:
    """The manifest with all that it names, the manifest itself last: what is half copied is never found."""
    known = there.find(tag=tag) if tag is not None else there.find(digest=manifest.digest)
    if known is not None:
        if known.digest != manifest.digest:
            raise RegistryError(
                f"{there.registry}/{there.name}:{tag} is {known.digest}, but {here.registry}/{here.name}:{tag} is "
                f"{manifest.digest}; one tag means one image, so the one in {there.registry} has to be deleted first"
            )
        return False
    for digest in manifest.children:
        child = here.find(digest=digest)
        if child is None:
            raise RegistryError(f"{here.uri(digest)} is named by {manifest.digest}, but it is not there")
        _copy_manifest(here, there, child, None)
    if not manifest.children:
        for digest in manifest.blobs:
            there.copy_blob(digest, here)
    there.put(manifest, tag)
    return True
