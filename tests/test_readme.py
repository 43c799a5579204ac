"""The README is true: its tree is what is on disk, its links lead somewhere, its commands exist."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
_BRACES = re.compile(r"\{([^}]*)\}")
# What a reader knows without being told.
UNTOLD = {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "pyproject.toml", ".gitignore", ".dockerignore"}


def tree() -> str:
    match = re.search(r"## What is where\s+```text\n(.*?)```", README, re.DOTALL)
    assert match
    return match[1]


def expanded(name: str) -> list[str]:
    """`a.{b,c}` as a.b and a.c."""
    match = _BRACES.search(name)
    if not match:
        return [name]
    return [name[: match.start()] + choice + name[match.end() :] for choice in match[1].split(",")]


def told_paths() -> set[str]:
    """The paths of the tree, relative to the checkout."""
    paths: set[str] = set()
    parent = ""
    for line in tree().splitlines():
        listed = re.split(r", (?![^{]*\})", re.split(r"\s{2,}", line.strip())[0])
        prefix = parent if line.startswith(" ") else ""
        paths |= {prefix + name for part in listed for name in expanded(part)}
        if not line.startswith(" "):
            parent = listed[0]
    return paths


def tracked() -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in listed if (ROOT / name).is_file()]


def test_every_path_of_the_tree_is_on_disk() -> None:
    assert told_paths()
    assert [path for path in sorted(told_paths()) if not (ROOT / path).exists()] == []


def test_everything_on_disk_is_in_the_tree() -> None:
    top = {name.split("/")[0] + ("/" if "/" in name else "") for name in tracked()}
    # The release files come with the first release of a stack on AWS.
    assert sorted(top - told_paths() - UNTOLD - {"releases/"}) == []


def test_every_link_leads_to_a_file() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if not link.startswith("http")]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?:\$ |`)make ([a-z]+)", README))))
def test_every_make_target_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
