"""The release file: written whole, read back, and refused where it is wrong."""

from pathlib import Path

import pytest

from models.release import Release, ReleaseError, load_releases, parse_release, write_releases

RELEASE = Release(
    package="arn:aws:sagemaker:eu-west-1:111111111111:model-package/drivetrain-local-auto-mpg/1",
    artefact="s3://artifacts/models/auto-mpg/job/output/model.tar.gz",
    artefact_sha256="a" * 64,
    manifest_sha256="b" * 64,
    image="111111111111.dkr.ecr.eu-west-1.amazonaws.com/drivetrain-local-serving@sha256:" + "c" * 64,
    snapshot="8204377395012438743",
    commit="0123abc",
    metrics={"mae": 1.9, "rmse": 2.5},
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "releases" / "local.toml"
    write_releases(file, {"auto-mpg": RELEASE, "another": RELEASE})
    assert load_releases(file) == {"auto-mpg": RELEASE, "another": RELEASE}
    first = file.read_bytes()
    write_releases(file, {"another": RELEASE, "auto-mpg": RELEASE})
    assert file.read_bytes() == first
    assert [path.name for path in file.parent.iterdir()] == ["local.toml"]


def test_no_file_is_no_release_yet(tmp_path: Path) -> None:
    assert load_releases(tmp_path / "local.toml") == {}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("a" * 64, "a" * 63, r"local\.toml: models\.auto-mpg\.artefact_sha256: .*pattern"),
        ("@sha256:", ":latest-", r"models\.auto-mpg\.image: .*pattern"),
        ("commit =", "comit =", r"models\.auto-mpg\.comit: unknown key"),
        ("[models.", "[model.", r"local\.toml: model: unknown key"),
        ("[models.auto-mpg]", "[models.auto-mpg", r"no valid TOML"),
        ("mae = 1.9", 'mae = "good"', r"metrics\.mae: Input should be a valid number \(found 'good'\)"),
    ],
)
def test_a_wrong_file_names_the_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    file = tmp_path / "local.toml"
    write_releases(file, {"auto-mpg": RELEASE})
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    with pytest.raises(ReleaseError, match=message):
        load_releases(file)


def test_a_proposal_is_a_release_as_json() -> None:
    assert parse_release(RELEASE.model_dump_json(), "proposal") == RELEASE
    with pytest.raises(ReleaseError, match=r"proposal: package: missing; this key is required"):
        parse_release("{}", "proposal")
