"""What may not go live is refused, each case with one line that names file, model and key, and says what is right."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from delivery.images.container_registry import digest_of
from delivery.releases.adoption import adopt, check_proposal, choose
from delivery.releases.artefacts import parse_location
from delivery.releases.check import RefusedReleaseError, check, check_file
from models.release import Release, ReleaseError, load_releases, write_releases
from tests.delivery.released import METRICS, PROJECT, SPEC, Stack, archive

pytestmark = pytest.mark.slow
HELD = "releases/dev.toml: models.auto-mpg"


@pytest.fixture(scope="module")
def dev(stack_of_module: Callable[[str], Stack]) -> Stack:
    released = stack_of_module("dev")
    released.release_one()
    return released


@pytest.fixture
def edited(dev: Stack) -> Any:
    """Edits the release file by hand; afterwards it is as before."""
    before = dev.account.releases_file.read_bytes()

    def edit(**changes: Any) -> list[str]:
        write_releases(dev.account.releases_file, {SPEC.name: dev.release.model_copy(update=changes)})
        return [str(finding) for finding in check_file(dev.account, PROJECT / "models")[1]]

    yield edit
    dev.account.releases_file.write_bytes(before)


def test_what_was_proposed_passes(dev: Stack) -> None:
    assert check_file(dev.account, PROJECT / "models") == ([SPEC.name], [])
    assert check_file(dev.account, PROJECT / "models", SPEC.name) == ([SPEC.name], [])


def test_an_unknown_model_is_named(dev: Stack, edited: Any) -> None:
    write_releases(dev.account.releases_file, {"auto-mgp": dev.release})
    _, findings = check_file(dev.account, PROJECT / "models")
    assert [str(each) for each in findings] == [
        "releases/dev.toml: models.auto-mgp: there is no such model in models/; models are: auto-mpg"
    ]
    with pytest.raises(ReleaseError, match=r"models\.auto-mpg: nothing is released; released models are: auto-mgp"):
        check_file(dev.account, PROJECT / "models", "auto-mpg")


def test_a_wrong_sha256_is_said_with_the_right_one(dev: Stack, edited: Any) -> None:
    right = dev.release.artefact_sha256
    said = edited(artefact_sha256="0" * 64)
    assert any(line.startswith(f"{HELD}.artefact_sha256: is {'0' * 64}, but the proposal") for line in said)
    assert any(line.endswith(f"/model.tar.gz have {right}") for line in said)


def test_a_digest_edited_by_hand_is_refused(dev: Stack, edited: Any) -> None:
    image = dev.release.image
    said = edited(image=image.partition("@")[0] + "@" + digest_of(b"another"))
    assert any("but the proposal that was signed" in line and line.endswith(f"says {image}") for line in said)
    assert any(line.startswith(f"{HELD}.image: the repository ") for line in said)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"metrics": {**METRICS, "mae": 0.1}}, "metrics"),
        ({"snapshot": "1"}, "snapshot"),
        ({"commit": "fedcba9"}, "commit"),
        ({"manifest_sha256": "0" * 64}, "manifest_sha256"),
    ],
)
def test_every_key_is_what_was_signed(edited: Any, changes: dict[str, Any], key: str) -> None:
    said = edited(**changes)
    assert said
    assert all(line.startswith(f"{HELD}.{key}: ") for line in said)


def test_a_package_that_is_not_there_is_said(dev: Stack, edited: Any) -> None:
    arn = dev.release.package
    said = edited(package=f"{arn.rpartition('/')[0]}/99")
    assert any(line.startswith(f"{HELD}.package: the registry has no package ") for line in said)
    assert any(line.endswith(f"says {arn}") for line in said)


def test_another_stacks_artefact_is_refused(edited: Any) -> None:
    said = edited(artefact="s3://elsewhere/models/model.tar.gz")
    assert any("is not in the stack's own bucket; right would be s3://drivetrain-dev-" in line for line in said)


def test_an_artefact_that_is_not_there_is_said(dev: Stack) -> None:
    location = parse_location(dev.release.artefact)
    dev.client("s3").delete_object(Bucket=location.bucket, Key=location.key)
    _, findings = check_file(dev.account, PROJECT / "models")
    dev.put(location.key, archive("run-1")[0])
    assert [str(each) for each in findings] == [f"{HELD}.artefact: {location.uri} is not there"]


def test_changed_bytes_are_seen(dev: Stack) -> None:
    location = parse_location(dev.release.artefact)
    dev.put(location.key, archive("another run")[0])
    _, findings = check_file(dev.account, PROJECT / "models")
    dev.put(location.key, archive("run-1")[0])
    assert [each.key for each in findings] == ["artefact_sha256", "manifest_sha256"]


def test_an_unapproved_package_is_refused(dev: Stack) -> None:
    sagemaker, package = dev.client("sagemaker"), dev.release.package
    described = sagemaker.describe_model_package(ModelPackageName=package)["CustomerMetadataProperties"]

    def approve(status: str) -> None:
        sagemaker.update_model_package(
            ModelPackageArn=package, ModelApprovalStatus=status, CustomerMetadataProperties=described
        )

    approve("Rejected")
    _, findings = check_file(dev.account, PROJECT / "models")
    approve("Approved")
    assert [str(each) for each in findings] == [
        f"{HELD}.package: {package} is Rejected; only what is Approved goes live"
    ]


def test_a_failed_gate_is_said(dev: Stack, edited: Any) -> None:
    release: Release = dev.release.model_copy(update={"metrics": {**METRICS, "mae": 2.3}})
    dev.propose(release)
    said = edited(metrics=release.metrics)
    dev.propose(dev.release.model_copy(update={"metrics": METRICS}))
    assert said == [
        f"{HELD}.metrics: gate mae maximum 2.2: failed with 2.3",
        f"{HELD}.metrics: gate mae better_than_baseline_by 0.18: failed with 0.1154",
    ]


def test_a_gate_that_was_tightened_since_stops_what_is_new_and_not_what_is_released(dev: Stack) -> None:
    tighter = SPEC.model_copy(update={"gates": (SPEC.gates[0].model_copy(update={"maximum": 1.0}),)})
    specs = {SPEC.name: tighter}
    assert check(dev.account, "releases/dev.toml", specs, SPEC.name, dev.release) == []
    (finding,) = check(dev.account, "releases/dev.toml", specs, SPEC.name, dev.release, anew=True)
    assert str(finding) == f"{HELD}.metrics: gate mae maximum 1: failed with 1.9"


def test_a_proposal_that_was_changed_after_it_was_signed_is_refused_and_the_file_stays(dev: Stack) -> None:
    better = dev.release.model_copy(update={"metrics": {**METRICS, "mae": 0.5}})
    before = dev.account.releases_file.read_bytes()
    dev.propose(dev.release, document=better.model_dump_json())
    proposal = choose(dev.account, SPEC.name, "")
    said = [str(each) for each in check_proposal(dev.account, SPEC, proposal)]
    with pytest.raises(RefusedReleaseError):
        adopt(dev.account, SPEC, proposal)
    dev.propose(dev.release)
    assert said == [
        f"{proposal.location}: models.auto-mpg: the signature of its proposal {proposal.location} is not one by "
        f"alias/drivetrain-dev-signing; the proposal was changed after it was signed, or somebody else signed it"
    ]
    assert dev.account.releases_file.read_bytes() == before


def test_another_stacks_signature_does_not_count(dev: Stack, stack_of_module: Callable[[str], Stack]) -> None:
    other = stack_of_module("dev")
    location = other.propose(dev.release)
    body = other.client("s3").get_object(Bucket=other.bucket, Key=parse_location(location).key)["Body"].read()
    dev.put(parse_location(location).key, body)
    _, findings = check_file(dev.account, PROJECT / "models")
    dev.propose(dev.release)
    assert [each.key for each in findings] == [""]
    assert "is not one by alias/drivetrain-dev-signing" in findings[0].said


def test_an_unsigned_image_is_refused_with_the_command_that_signs(stack: Callable[[str], Stack]) -> None:
    dev = stack("dev")
    dev.release_one(signed=False)
    _, findings = check_file(dev.account, PROJECT / "models")
    assert [each.key for each in findings] == ["image"]
    assert f"cosign sign --key awskms:///alias/drivetrain-dev-signing {dev.release.image}" in findings[0].said


def test_adopting_keeps_the_other_models_and_is_done_once(stack: Callable[[str], Stack]) -> None:
    dev = stack("dev")
    release = dev.release_one()
    write_releases(dev.account.releases_file, {"another": release})
    proposal = choose(dev.account, SPEC.name, "run-1")
    assert adopt(dev.account, SPEC, proposal)
    assert load_releases(dev.account.releases_file) == {"another": release, SPEC.name: release}
    assert not adopt(dev.account, SPEC, proposal)
    with pytest.raises(ReleaseError, match="no proposal for auto-mpg from execution run-7; proposals: run-1"):
        choose(dev.account, SPEC.name, "run-7")


def test_the_evaluation_has_to_be_there(stack: Callable[[str], Stack]) -> None:
    dev = stack("dev")
    dev.release_one()
    key = "runs/auto-mpg/run-1/evaluation/evaluation.json"
    dev.put(key, json.dumps({"no": "baseline"}).encode())
    assert [each.key for each in check_file(dev.account, PROJECT / "models")[1]] == ["metrics"]
