"""What each stand-in action does: `main.py NAME`, with the action's inputs as JSON in INPUTS.

They fail where the real action would: on a missing input, a missing permission of the job, an image that is not there.
"""

import importlib
import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import job

ARTIFACTS = "REHEARSED_ARTIFACTS"


def checkout(inputs: dict[str, str]) -> None:
    """A clone of the commit from the bare origin, where `.github/actions/setup` links to the environment there is."""
    job.permitted("contents", "read")
    if inputs["persist-credentials"] != "false":
        job.fail("persist-credentials has to be false: the token would stay in .git/config")
    workspace = Path(os.environ["GITHUB_WORKSPACE"], inputs["path"])
    commit = inputs["ref"] or os.environ["GITHUB_SHA"]
    origin = os.environ["REHEARSED_ORIGIN"]
    depth = [] if inputs["fetch-depth"] == "0" else [f"--depth={inputs['fetch-depth']}"]
    git = ["git", "-C", str(workspace)]
    workspace.mkdir(parents=True, exist_ok=True)
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "remote", "add", "origin", f"file://{origin}"], check=True)
    refs = [commit] if depth else ["+refs/heads/*:refs/remotes/origin/*"]
    subprocess.run([*git, "fetch", "--quiet", *depth, "origin", *refs], check=True)
    subprocess.run([*git, "checkout", "--quiet", "--force", commit], check=True)
    setup = workspace / ".github" / "actions" / "setup" / "action.yml"
    if setup.is_file():
        shutil.copyfile(Path(os.environ["REHEARSED_STANDINS"], "setup.yml"), setup)
        subprocess.run([*git, "update-index", "--skip-worktree", str(setup.relative_to(workspace))], check=True)
    job.output("commit", commit)


def setup(_: dict[str, str]) -> None:
    """The environment of the checkout that rehearses, with the sources of the job's own checkout."""
    binaries = Path(os.environ["GITHUB_WORKSPACE"], ".venv", "bin")
    binaries.mkdir(parents=True)
    python = os.environ["REHEARSED_PYTHON"]
    for name, command in (("python", f'"{python}"'), ("drivetrain", f'"{python}" -m cli')):
        job.script(binaries / name, f'exec env PYTHONPATH="{binaries.parent.parent}" {command} "$@"')


def upload_artifact(inputs: dict[str, str]) -> None:
    """A copy that later jobs of the run find."""
    source = Path(inputs["path"])
    if not source.exists():
        if inputs["if-no-files-found"] == "error":
            job.fail(f"no files were found with the provided path: {inputs['path']}")
        return
    target = Path(os.environ[ARTIFACTS], os.environ["GITHUB_RUN_ID"], inputs["name"])
    target.mkdir(parents=True)
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)


def download_artifact(inputs: dict[str, str]) -> None:
    """The artifacts of a name or of a pattern, merged into one folder where asked."""
    run = Path(os.environ[ARTIFACTS], os.environ["GITHUB_RUN_ID"])
    target = Path(os.environ["GITHUB_WORKSPACE"], inputs["path"])
    found = [run / inputs["name"]] if inputs["name"] else sorted(run.glob(inputs["pattern"] or "*"))
    if inputs["name"] and not found[0].is_dir():
        job.fail(f"Artifact not found for name: {inputs['name']}")
    target.mkdir(parents=True, exist_ok=True)
    for folder in found:
        flat = inputs["merge-multiple"] == "true" or inputs["name"]
        shutil.copytree(folder, target if flat else target / folder.name, dirs_exist_ok=True)
    job.output("download-path", str(target))


def app_token(inputs: dict[str, str]) -> None:
    """A token of the GitHub App, which `gh` knows by its beginning."""
    if not inputs["client-id"] and not inputs["app-id"]:
        job.fail("Either 'client-id' or 'app-id' is required")
    if not inputs["private-key"].startswith("-----BEGIN"):
        job.fail("private-key is no PEM")
    job.output("token", f"ghs_app_{uuid.uuid4().hex}")


def pulumi(inputs: dict[str, str]) -> None:
    """The rehearsal's `pulumi` on the path."""
    if inputs["command"]:
        job.fail("only the command line is to be installed")
    if not inputs["pulumi-version"]:
        job.fail("which version is to be installed has to be said")
    python = os.environ["REHEARSED_PYTHON"]
    job.tool("pulumi", f'exec "{python}" -m rehearsal.pulumi "$@"')


def setup_python(inputs: dict[str, str]) -> None:
    """The Python that is there."""
    if not inputs["python-version"]:
        job.fail("which version is to be installed has to be said")
    job.output("python-version", inputs["python-version"])


HERE: dict[str, Callable[[dict[str, str]], None]] = {
    "checkout": checkout,
    "setup": setup,
    "setup-python": setup_python,
    "upload-artifact": upload_artifact,
    "download-artifact": download_artifact,
    "create-github-app-token": app_token,
    "pulumi": pulumi,
}
ELSEWHERE = {
    "configure-aws-credentials": ("credentials", "configure"),
    "amazon-ecr-login": ("images", "log_in"),
    "setup-buildx-action": ("images", "set_up"),
    "build-push-action": ("images", "build_and_push"),
    "sbom-action": ("images", "list_contents"),
    "cosign-installer": ("images", "install_cosign"),
}
"""In modules that take long to import, which a checkout need not wait for."""


def action(name: str) -> Callable[[dict[str, str]], None]:
    """What the action of that name does."""
    if name in HERE:
        return HERE[name]
    module, function = ELSEWHERE[name]
    return getattr(importlib.import_module(module), function)


if __name__ == "__main__":
    action(sys.argv[1])(json.loads(os.environ.get("INPUTS") or "{}"))
