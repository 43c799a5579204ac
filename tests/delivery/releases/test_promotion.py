"""A released model is carried to the next account whole, once, and only when every check of it holds."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import settings

from delivery.images.signatures import is_signed, signatures
from delivery.images.stack_images import repository
from delivery.releases import artefacts, promotion
from delivery.releases.check import RefusedReleaseError, check_file
from delivery.releases.promotion import Promotion, PromotionError, promote
from infra.bootstrap.deploying import POLICIES
from infra.bootstrap.promoting import promoting
from infra.bootstrap.reading import READING
from tests.delivery.released import EXECUTION, METRICS, PROJECT, SPEC, Stack

pytestmark = pytest.mark.slow
Stacks = Callable[[str], Stack]


def carry(dev: Stack, staging: Stack, told: list[str] | None = None) -> Promotion:
    lines: list[str] = [] if told is None else told
    return promote(SPEC, dev.account, staging.account, lines.append)


def test_everything_arrives_with_the_same_bytes_and_its_lineage(stack: Stacks) -> None:
    dev, staging = stack("dev"), stack("staging")
    before = dev.release_one()
    carry(dev, staging)
    after = staging.release
    assert (after.artefact_sha256, after.manifest_sha256, after.snapshot, after.commit, after.metrics) == (
        before.artefact_sha256,
        before.manifest_sha256,
        before.snapshot,
        before.commit,
        METRICS,
    )
    assert after.image.rpartition("@")[2] == before.image.rpartition("@")[2]
    names = staging.account.names
    assert after.image.startswith(f"{names.registry}/{names.repository('serving')}@")
    assert after.package.split(":")[4] == names.account_id
    package = staging.client("sagemaker").describe_model_package(ModelPackageName=after.package)
    assert package["ModelApprovalStatus"] == "Approved"
    assert package["CustomerMetadataProperties"]["source_package"] == before.package
    assert package["CustomerMetadataProperties"]["execution"] == EXECUTION
    folder = f"runs/{SPEC.name}/{EXECUTION}/evaluation/"
    listed = staging.client("s3").list_objects_v2(Bucket=staging.bucket, Prefix=folder)["Contents"]
    assert [each["Key"].removeprefix(folder) for each in listed] == ["evaluation.json", "model_card.md"]
    assert check_file(staging.account, PROJECT / "models") == ([SPEC.name], [])


def test_the_image_is_countersigned_and_keeps_the_first_signature(stack: Stacks) -> None:
    dev, staging = stack("dev"), stack("staging")
    digest = dev.release_one().image.rpartition("@")[2]
    carry(dev, staging)
    copied = repository(staging.account, staging.account.names.repository("serving"))
    assert is_signed(copied, digest, staging.account.signing_key)
    assert is_signed(copied, digest, dev.account.signing_key)
    assert len(signatures(copied, digest)) == 2


def test_a_second_promotion_changes_nothing_and_says_so(stack: Stacks) -> None:
    dev, staging = stack("dev"), stack("staging")
    dev.release_one()
    assert carry(dev, staging).changes > 0
    file = staging.account.releases_file
    written = file.stat().st_mtime_ns
    told: list[str] = []
    assert carry(dev, staging, told).changes == 0
    assert all(line.startswith("was there:") for line in told)
    assert file.stat().st_mtime_ns == written
    packages = staging.client("sagemaker").list_model_packages(
        ModelPackageGroupName=staging.account.names.package_group(SPEC.name)
    )
    assert len(packages["ModelPackageSummaryList"]) == 1


@pytest.mark.parametrize("killed_at", ["image", "artefact", "evaluation", "package", "proposal"])
def test_a_promotion_that_was_killed_is_finished_by_the_next(stack: Stacks, killed_at: str) -> None:
    dev, staging = stack("dev"), stack("staging")
    dev.release_one()

    def killed(line: str) -> None:
        if line.split(" ", 1)[1].startswith(killed_at):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        promote(SPEC, dev.account, staging.account, killed)
    assert not staging.account.releases_file.exists()
    carry(dev, staging)
    assert check_file(staging.account, PROJECT / "models") == ([SPEC.name], [])
    packages = staging.client("sagemaker").list_model_packages(
        ModelPackageGroupName=staging.account.names.package_group(SPEC.name)
    )
    assert len(packages["ModelPackageSummaryList"]) == 1


def test_what_is_not_released_is_not_promoted(stack: Stacks) -> None:
    dev, staging = stack("dev"), stack("staging")
    with pytest.raises(PromotionError, match=r"releases/dev\.toml: models\.auto-mpg: nothing is released in dev"):
        carry(dev, staging)


def test_a_changed_artefact_is_not_promoted(stack: Stacks) -> None:
    dev, staging = stack("dev"), stack("staging")
    release = dev.release_one()
    dev.put(artefacts.parse_location(release.artefact).key, b"another model")
    with pytest.raises(RefusedReleaseError, match=r"releases/dev\.toml: models\.auto-mpg\.artefact: "):
        carry(dev, staging)
    assert not staging.account.releases_file.exists()
    assert "Contents" not in staging.client("s3").list_objects_v2(Bucket=staging.bucket)


def test_an_artefact_that_changes_on_the_way_is_not_released(stack: Stacks, monkeypatch: pytest.MonkeyPatch) -> None:
    dev, staging = stack("dev"), stack("staging")
    release = dev.release_one()
    key = artefacts.parse_location(release.artefact).key
    original: Any = promotion.require_good

    def checked_then_changed(*arguments: Any) -> None:
        original(*arguments)
        dev.put(key, b"another model")

    monkeypatch.setattr(promotion, "require_good", checked_then_changed)
    with pytest.raises(artefacts.ArtefactError, match="it is not copied"):
        carry(dev, staging)
    assert not staging.account.releases_file.exists()


def test_the_roles_that_the_bootstrap_makes_are_enough_and_the_first_writes_nothing(
    stack: Stacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev, staging = stack("dev"), stack("staging")
    release = dev.release_one()
    reader = dev.as_role("promotion", {"promote": promoting})
    deployer = staging.as_role("deploy", {**READING, **POLICIES})
    monkeypatch.setattr(settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0)  # from here on IAM is enforced
    promote(SPEC, reader, deployer, lambda line: None)
    assert check_file(deployer, PROJECT / "models") == ([SPEC.name], [])
    place = artefacts.parse_location(release.artefact)
    for call in (
        lambda: reader.client("s3").put_object(Bucket=place.bucket, Key=place.key, Body=b"another model"),
        lambda: reader.signing_key.sign(b"a release"),
        lambda: deployer.client("s3").get_object(Bucket=place.bucket, Key=place.key),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            call()
