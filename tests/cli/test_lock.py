import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.lock import app
from delivery.pulumi.backend import open_bucket
from delivery.pulumi.locks import LockError, whoami


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    return f"file://{tmp_path}"


def hold(backend: str, holder: str, hours: float, stack: str = "dev") -> None:
    user, _, host = holder.partition("@")
    since = datetime.now(UTC) - timedelta(hours=hours)
    content = {"pid": 7, "username": user, "hostname": host, "timestamp": since.isoformat()}
    open_bucket(backend).write(f".pulumi/locks/organization/drivetrain/{stack}/x.json", json.dumps(content))


def test_it_is_told_who_holds_the_stack_and_since_when(backend: str) -> None:
    assert run("show", "dev").stdout == "nobody holds dev\n"
    hold(backend, "ann@runner-3", 2)
    told = run("show", "dev").stdout
    assert "ann@runner-3" in told
    assert "2:00:" in told
    (entry,) = json.loads(run("show", "dev", "--json").stdout)
    assert (entry["holder"], entry["process"]) == ("ann@runner-3", 7)
    assert run("show", "staging").stdout == "nobody holds staging\n"


def test_the_stack_of_a_model_has_locks_of_its_own(backend: str) -> None:
    hold(backend, "ann@runner-3", 2, stack="dev-auto-mpg")
    assert "ann@runner-3" in run("show", "dev-auto-mpg").stdout
    assert run("show", "dev").stdout == "nobody holds dev\n"


def test_only_its_holder_releases_it_or_anyone_past_an_age(backend: str) -> None:
    hold(backend, "ann@runner-3", 2)
    assert isinstance(run("release", "dev").exception, LockError)
    assert isinstance(run("release", "dev", "--older-than", "3h").exception, LockError)
    assert "released the lock held by ann@runner-3" in run("release", "dev", "--older-than", "90m").stdout
    assert run("show", "dev").stdout == "nobody holds dev\n"
    hold(backend, whoami(), 0)
    assert run("release", "dev").exit_code == 0
    assert run("release", "dev").stdout == "nobody holds dev\n"


@pytest.mark.parametrize("age", ["2", "2 hours", "-1h", "h"])
def test_an_age_that_is_none_is_refused(backend: str, age: str) -> None:
    hold(backend, "ann@runner-3", 2)
    assert run("release", "dev", f"--older-than={age}").exit_code == 2
