import json
from pathlib import Path

import pytest

from rehearsal.engine.project import ProjectError, load_project


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n")
    (tmp_path / "__main__.py").write_text("")
    (tmp_path / "Pulumi.dev.yaml").write_text(
        "config:\n  tiny:settings: {a: {b: 1, c: 2}}\n  aws:region: eu-west-1\n  short: true\n"
    )
    return tmp_path


def test_objects_become_json_and_short_keys_get_the_project(folder: Path) -> None:
    config = load_project(folder, "dev").config
    assert json.loads(config["tiny:settings"]) == {"a": {"b": 1, "c": 2}}
    assert (config["aws:region"], config["tiny:short"]) == ("eu-west-1", "true")


def test_an_override_is_merged_deep(folder: Path) -> None:
    config = load_project(folder, "dev", {"a": {"b": 9}}).config
    assert json.loads(config["tiny:settings"]) == {"a": {"b": 9, "c": 2}}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("Pulumi.yaml", "runtime: python\n", "`name` is missing"),
        ("Pulumi.yaml", "- a\n", "a mapping was expected"),
        ("Pulumi.dev.yaml", "config: [\n", r"Pulumi\.dev\.yaml"),
        ("Pulumi.dev.yaml", "config: {tiny:key: {secure: xyz}}\n", "is encrypted"),
    ],
)
def test_what_is_wrong_is_named(folder: Path, name: str, text: str, told: str) -> None:
    (folder / name).write_text(text)
    with pytest.raises(ProjectError, match=told):
        load_project(folder, "dev")


def test_a_folder_without_a_program_is_refused(folder: Path) -> None:
    (folder / "__main__.py").unlink()
    with pytest.raises(ProjectError, match="has no __main__"):
        load_project(folder, "dev")
