import subprocess
import sys

import pytest
from typer.testing import CliRunner

from cli.main import app

HEAVY = ("boto3", "numpy", "pydantic", "rich", "cli.deploy", "delivery")


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """What the command line imports on its way to the command's usage error."""
    code = "import sys; from cli.main import app\ntry: app(sys.argv[1:])\nexcept SystemExit: print(*sys.modules)"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)


def test_no_command_waits_for_the_libraries_of_another() -> None:
    alone = subprocess.run(
        [sys.executable, "-c", "import sys, cli.main; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    assert set(alone.stdout.split()).isdisjoint(HEAVY)
    loaded = set(run("ci", "settings").stdout.split())
    assert "cli.ci" in loaded
    assert loaded.isdisjoint({"cli.deploy", "cli.local", "cli.acceptance", "numpy"})


@pytest.mark.parametrize(("typed", "meant"), [("depoly", "deploy"), ("acceptence", "acceptance")])
def test_what_is_mistyped_is_compared_with_every_command(typed: str, meant: str) -> None:
    refused = CliRunner().invoke(app, [typed])
    assert refused.exit_code == 2
    assert f"Did you mean '{meant}'" in refused.output


def test_help_shows_every_command_with_its_first_line() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output
    assert "The rehearsal: the whole platform on this machine, offline." in shown
    group = CliRunner().invoke(app, ["ci", "--help"], env={"COLUMNS": "200"}).output
    assert {"settings", "report"} <= {line.split()[1] for line in group.splitlines() if len(line.split()) > 1}
