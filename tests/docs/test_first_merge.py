"""`docs/first-merge.md`: its commands are run, in a copy of the checkout, and print what the page says.

AWS is the rehearsal, `pulumi` its stand-in; git is git, with a folder in place of GitHub. `gh` is a few lines that
print what gh prints. The first command, `make local`, is tested by `tests/e2e`.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.sources import project_directory
from rehearsal import server
from rehearsal.pulumi import shim
from rehearsal.server import Rehearsal

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PAGE = project_directory() / "docs" / "first-merge.md"
ACCOUNT = "123456789012"
_GH = """#!/bin/sh
case "$1 $2" in
"repo create")
    git init --quiet --bare "$GITHUB_FOLDER" && git remote add mine "$GITHUB_FOLDER"
    printf '✓ Created repository %s on github.com\\n  https://github.com/%s\\n' "$3" "$3"
    printf '✓ Added remote https://github.com/%s.git\\n' "$3" ;;
"api repos/me/drivetrain") echo '{"owner":1,"repository":2}' ;;
"pr create") git ls-remote --exit-code mine first > /dev/null && echo https://github.com/me/drivetrain/pull/1 ;;
"pr checks") echo "All checks were successful" ;;
"pr merge")
    git push --quiet mine first:main && echo "✓ Merged pull request #1 ($(git log -1 --format=%s first))" ;;
*) echo "gh $*: not part of this test" >&2; exit 1 ;;
esac
"""


@dataclass(frozen=True)
class Step:
    command: str
    printed: str


def steps() -> list[Step]:
    blocks = re.findall(r"```console\n\$ (.+?)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [Step(command, printed) for command, printed in blocks]


class Clone:
    """A new clone on somebody's desk, with an administrator's credentials of an empty account."""

    def __init__(self, folder: Path, rehearsal: Rehearsal) -> None:
        self.folder = folder / "drivetrain"
        shutil.copytree(project_directory(), self.folder, ignore=_left_out)
        tools = folder / "bin"
        shim(tools)
        for name, text in (("gh", _GH), ("drivetrain", f'#!/bin/sh\nexec {sys.executable} -m cli "$@"\n')):
            (tools / name).write_text(text, encoding="utf-8")
            (tools / name).chmod(0o755)
        identity = {
            f"GIT_{who}_{what}": "me@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        self.environment = {
            **rehearsal.environment(ACCOUNT, "eu-west-1"),
            **identity,
            "PATH": f"{tools}:{os.environ['PATH']}",
            "HOME": str(folder),
            "PYTHONPATH": str(self.folder),
            "PYTHONWARNINGS": "ignore",
            "GITHUB_FOLDER": str(folder / "github.git"),
        }
        self.run("git init --quiet --initial-branch main && git add --all && git commit --quiet --message start")

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=400,
        )


def _left_out(folder: str, names: list[str]) -> set[str]:
    hidden = {name for name in names if name.startswith(".") and name not in (".github", ".gitignore")}
    return hidden | ({"__pycache__", "tests", "benchmarks"} & set(names)) | {n for n in names if n.endswith("egg-info")}


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    running = server.start(tmp_path_factory.mktemp("first-merge") / "rehearsal", stop_grace_s=2.0)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def clone(rehearsal: Rehearsal, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return Clone(tmp_path_factory.mktemp("desk"), rehearsal)


def told(printed: str) -> str:
    """What was printed, without how long it took and how many resources it were."""
    return re.sub(r"\b\d+( created)|\b\d+\.\d( s)\b", r"N\1\2", printed)


def test_the_road_is_six_commands_long() -> None:
    assert [step.command.split()[0] for step in steps()] == ["make", "gh", "drivetrain", "git", "git", "gh"]
    assert steps()[0].command == "make local"


def test_every_command_prints_what_the_page_says(clone: Clone) -> None:
    for step in steps()[1:]:
        done = clone.run(step.command)
        assert done.returncode == 0, (step.command, done.stderr)
        assert told(done.stdout) == told(step.printed), step.command
    merged = clone.run("git show mine/main:Pulumi.dev.yaml").stdout
    assert 'account_id: "123456789012"' in merged
    assert "repository: me/drivetrain\n      owner_id: 1\n      repository_id: 2\n" in merged
    assert "log_retention_days: 30" in merged


def test_a_second_run_changes_nothing_and_another_repository_is_asked_about(clone: Clone) -> None:
    again = clone.run("drivetrain bootstrap dev")
    assert again.returncode == 0, again.stderr
    assert "nothing was changed" in again.stdout
    other = clone.run("drivetrain bootstrap dev --repository them/theirs")
    assert other.returncode == 1
    assert "is deployed from me@1/drivetrain@2, and would be from them/theirs" in other.stderr
    assert "drivetrain-dev-deploy and drivetrain-dev-preview" in other.stderr
    assert clone.run("git diff --exit-code").returncode == 0, "what is refused leaves the stack's file as it was"


def test_credentials_of_another_account_are_told(clone: Clone) -> None:
    done = clone.run("drivetrain bootstrap staging --repository me/drivetrain")
    assert done.returncode == 1
    assert f"the credentials are of account {ACCOUNT}, but Pulumi.staging.yaml says" in done.stderr
    assert "Traceback" not in done.stderr
    assert clone.run("git diff --exit-code").returncode == 0
