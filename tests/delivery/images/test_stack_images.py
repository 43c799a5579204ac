"""Images keep their digest in another account, and only what is signed is carried there."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from delivery.images.container_registry import MANIFEST_TYPE, Manifest, RegistryError, Repository, digest_of, parse_uri
from delivery.images.signatures import attached_tag, is_signed, sign, signatures
from delivery.images.stack_images import copy, copy_present, plan, repository, sign_present, tag_models, unsigned
from infra.names import IMAGES, Image
from infra.sources import content_tag
from tests.delivery.released import PROJECT, Stack

pytestmark = pytest.mark.slow
Stacks = Callable[[str], Stack]


def there(stack: Stack) -> Repository:
    return repository(stack.account, stack.account.names.repository("serving"))


def attest(stack: Stack, digest: str) -> str:
    """An attestation of the image, as a referrer."""
    place = there(stack)
    blobs = [{"digest": place.put_blob(content)} for content in (b"{}", b"an SBOM")]
    document = {"config": blobs[0], "layers": blobs[1:], "subject": {"digest": digest}}
    text = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST_TYPE, **document})
    manifest = Manifest(text=text, media_type=MANIFEST_TYPE, digest=digest_of(text.encode()))
    place.put(manifest)
    return manifest.digest


def test_what_is_to_be_built_is_planned(stack: Stacks) -> None:
    dev = stack("dev")
    digest = dev.push("serving")
    training, serving = plan(dev.account, PROJECT)
    assert (training.image, training.digest, training.signed, training.uri) == ("training", None, False, None)
    assert (serving.digest, serving.signed) == (digest, True)
    assert serving.uri == there(dev).uri(digest)
    assert serving.key == "awskms:///alias/drivetrain-dev-signing"
    assert unsigned(dev.account, PROJECT) == [
        f"{training.repository}:{training.tag} is not in {training.registry}; build, push and sign it"
    ]
    with pytest.raises(RegistryError, match=f"{training.tag} is not in"):
        copy_present(dev.account, stack("staging").account, PROJECT)


def test_signing_is_done_once(stack: Stacks) -> None:
    dev = stack("dev")
    digests = [dev.push(image, signed=False) for image in ("training", "serving")]
    assert len(unsigned(dev.account, PROJECT)) == 2
    assert [changed for _, changed in sign_present(dev.account, PROJECT)] == [True, True]
    assert [changed for _, changed in sign_present(dev.account, PROJECT)] == [False, False]
    assert unsigned(dev.account, PROJECT) == []
    assert len(signatures(there(dev), digests[1])) == 1


def test_a_model_keeps_its_image_while_another_one_changes(stack: Stacks, tmp_path: Path) -> None:
    dev, staging = stack("dev"), stack("staging")
    first = {image: dev.push(image) for image in IMAGES}["serving"]
    assert tag_models(dev.account, PROJECT) == []  # with one model its tags are the images' own
    project = with_another_model(tmp_path / "project")
    second = push_another(dev, "serving", content_tag(project, "serving"))
    push_another(dev, "training", content_tag(project, "training"))
    tagged = [f"drivetrain-dev-{image}:{content_tag(project, image, 'bikes')}" for image in IMAGES]
    assert tag_models(dev.account, project) == tagged
    assert tag_models(dev.account, project) == []
    behind = [there(dev).find(tag=content_tag(project, "serving", table)) for table in ("auto_mpg", "bikes")]
    assert [found and found.digest for found in behind] == [first, second]

    # The first image never came to staging, and a model there looks for it.
    copy_present(dev.account, staging.account, project)
    behind = [there(staging).find(tag=content_tag(project, "serving", table)) for table in ("auto_mpg", "bikes")]
    assert [found and found.digest for found in behind] == [first, second]


def with_another_model(project: Path) -> Path:
    """The sources of the images, with a model beside the one that there is."""
    for folder in ("models", "monitoring", "serving", "training", "requirements"):
        shutil.copytree(PROJECT / folder, project / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / ".dockerignore", project)
    shutil.copytree(project / "models" / "auto_mpg", project / "models" / "bikes")
    return project


def push_another(stack: Stack, image: Image, tag: str) -> str:
    """Another image, under that tag and signed; its digest."""
    place = repository(stack.account, stack.account.names.repository(image))
    blobs = [{"digest": place.put_blob(content)} for content in (b"{}", f"another {image}".encode())]
    text = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": blobs[0], "layers": blobs[1:]})
    manifest = Manifest(text=text, media_type=MANIFEST_TYPE, digest=digest_of(text.encode()))
    place.put(manifest, tag)
    sign(place, manifest.digest, stack.account.signing_key)
    return manifest.digest


def test_a_copy_has_the_digest_the_tag_and_what_is_attached(stack: Stacks) -> None:
    dev, staging = stack("dev"), stack("staging")
    digest = dev.push("serving")
    attestation = attest(dev, digest)
    copied = copy(dev.account, staging.account, "serving", digest)
    assert (copied.uri, copied.changed) == (there(staging).uri(digest), True)
    assert there(staging).tags(digest) == there(dev).tags(digest)
    assert there(staging).referrers(digest) == [attestation]
    assert not copy(dev.account, staging.account, "serving", digest).changed


def test_what_is_not_signed_is_not_copied(stack: Stacks) -> None:
    dev, staging = stack("dev"), stack("staging")
    digest = dev.push("serving", signed=False)
    with pytest.raises(RegistryError, match="has no signature; right would be: cosign sign --key awskms:///alias/"):
        copy(dev.account, staging.account, "serving", digest)
    assert there(staging).find(digest=digest) is None


def test_a_signature_of_another_image_or_key_does_not_count(stack: Stacks) -> None:
    dev, staging = stack("dev"), stack("staging")
    digest, key = dev.push("serving"), dev.account.signing_key
    place = there(dev)
    forged = dev.push("training", signed=False)
    found = place.find(tag=attached_tag(digest, "sig"))
    assert found is not None
    training = repository(dev.account, dev.account.names.repository("training"))
    for blob in found.blobs:
        training.copy_blob(blob, place)
    training.put(found, attached_tag(forged, "sig"))
    assert not is_signed(training, forged, key)
    assert is_signed(place, digest, key)
    assert not is_signed(place, digest, staging.account.signing_key)


def test_a_tag_that_means_another_image_is_refused(stack: Stacks) -> None:
    dev, staging = stack("dev"), stack("staging")
    digest = dev.push("serving")
    (tag,) = there(dev).tags(digest)
    other = Manifest(text='{"layers": []}', media_type=MANIFEST_TYPE, digest=digest_of(b'{"layers": []}'))
    there(staging).put(other, tag)
    with pytest.raises(RegistryError, match="one tag means one image"):
        copy(dev.account, staging.account, "serving", digest)


def test_blobs_arrive_in_parts_or_not_at_all(stack: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    dev, staging = stack("dev"), stack("staging")
    content = bytes(range(256)) * 100_000  # more than two parts of ECR's
    digest = there(dev).put_blob(content)
    there(staging).copy_blob(digest, there(dev))
    assert there(staging).blob(digest) == content
    monkeypatch.setattr(Repository, "has_blob", lambda self, digest: False)
    with pytest.raises(RegistryError, match="it is not copied"):
        there(staging)._upload(digest, lambda size: iter([b"other bytes"]))


def test_signing_beside_what_came_along(stack: Stacks) -> None:
    dev = stack("dev")
    digest = dev.push("serving")
    assert not sign(there(dev), digest, dev.account.signing_key)


@pytest.mark.parametrize("uri", ["registry/serving:tag", "serving@sha256:12", "registry/serving@md5:12"])
def test_an_image_is_named_by_digest(uri: str) -> None:
    with pytest.raises(RegistryError, match="right would be <registry>/<repository>@sha256:"):
        parse_uri(uri)
