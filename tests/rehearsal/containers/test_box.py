"""What `podman run` is told."""

from pathlib import Path

import pytest

from rehearsal.containers.box import Box, open_to_all, run_environment, run_words
from rehearsal.containers.engine import Engine

ENGINE = Engine(folder=Path("/somewhere"))


def box(**changes: object) -> Box:
    known: dict[str, object] = {
        "name": "one",
        "image": "sha256:" + "ab" * 32,
        "owner": "/state",
        "base": Path("/jobs/one/opt/ml"),
        "isolated": False,
        "arguments": ("train",),
    }
    return Box(**{**known, **changes})  # type: ignore[arg-type]


def test_credentials_are_named_and_never_told() -> None:
    variables = {"AWS_SECRET_ACCESS_KEY": "hidden", "MODEL": "auto-mpg", "PATH": "/mine"}
    words = run_words(ENGINE, box(), variables)
    assert "hidden" not in " ".join(words)
    assert words[words.index("AWS_SECRET_ACCESS_KEY") - 1] == "--env"
    assert "MODEL=auto-mpg" in words
    environment = run_environment(ENGINE, variables)
    assert environment["AWS_SECRET_ACCESS_KEY"] == "hidden"
    assert environment.get("PATH") != "/mine", "podman is found by the PATH of this machine"


def test_podman_removes_nothing_before_its_exit_code_is_known() -> None:
    assert "--rm" not in run_words(ENGINE, box(), {})


@pytest.mark.parametrize(("isolated", "network"), [(True, "none"), (False, "host")])
def test_isolation_is_no_network(isolated: bool, network: str) -> None:
    words = run_words(ENGINE, box(isolated=isolated), {})
    assert words[words.index("--network") + 1] == network


def test_the_images_own_entrypoint_unless_another_is_asked_for() -> None:
    assert run_words(ENGINE, box(), {})[-2:] == ["ab" * 32, "train"]
    words = run_words(ENGINE, box(entrypoint=("python", "-m", "other"), arguments=()), {})
    assert words[-3:] == ["--entrypoint", '["python", "-m", "other"]', "ab" * 32]


def test_packages_are_mounted_where_the_image_wants_them() -> None:
    words = run_words(ENGINE, box(packages="abc:/opt/x/site-packages"), {})
    assert "/somewhere/training-packages/abc:/opt/x/site-packages:ro" in words
    assert not any("training-packages" in word for word in run_words(ENGINE, box(), {}))


def test_folders_are_open_and_files_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir(mode=0o755)
    (tmp_path / "model/note").touch(mode=0o600)
    open_to_all(tmp_path)
    assert (tmp_path / "model").stat().st_mode & 0o777 == 0o777
    assert (tmp_path / "model/note").stat().st_mode & 0o777 == 0o600
