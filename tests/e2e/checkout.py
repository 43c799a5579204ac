"""A copy of this checkout, in which end-to-end tests run commands as a user does."""

import contextlib
import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from infra.names import Names
from infra.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """A copy of the checkout in which commands are run."""

    path: Path
    up_output: str = ""

    @property
    def names(self) -> Names:
        return load_settings(self.path, "local").names

    def drivetrain(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run the command line of the copy, as a user without credentials does."""
        return subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            cwd=self.path,
            env=self.environment(),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DRIVETRAIN_"))}
        return {**kept, "PYTHONPATH": str(self.path)}

    def aws_environment(self) -> dict[str, str]:
        """What `drivetrain local env` exports."""
        lines = self.drivetrain("local", "env").stdout.splitlines()
        return dict(line.removeprefix("export ").split("=", 1) for line in lines)

    def client(self, service: str) -> Any:
        """A plain boto3 client, set up by what `drivetrain local env` exports and nothing else."""
        return self.session()(service)

    def session(self) -> Callable[[str], Any]:
        """Makes such clients, having asked for the environment once."""
        exported = self.aws_environment()
        session: Any = boto3.Session(
            aws_access_key_id=exported["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=exported["AWS_SECRET_ACCESS_KEY"],
            region_name=exported["AWS_REGION"],
        )
        return functools.partial(session.client, endpoint_url=exported["AWS_ENDPOINT_URL"])


def copy_checkout(target: Path) -> Checkout:
    """The files that git tracks or would track, as a clone of the work tree has them."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        source = ROOT / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):  # another test may take a file of its own away meanwhile
                shutil.copy2(source, target / name)
    return Checkout(path=target)


def quickly_trained(spec: str) -> str:
    """auto_mpg's model.toml with a smaller model and one wide gate, where it does not matter how well it predicts."""
    text = spec.replace("epochs = 300", "epochs = 60").replace("members = 16", "members = 2")
    before, _, after = text.partition("[[gates]]")
    return f'{before}[[gates]]\nmetric = "mae"\nmaximum = 9.0\n\n[serving]{after.partition("[serving]")[2]}'
