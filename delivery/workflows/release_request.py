"""The release files as a pull request: a branch of one commit, pushed with the App's token, that merges itself."""

import re
import subprocess
import tempfile
from pathlib import Path

from delivery.workflows.github import GitHub
from delivery.workflows.workflow import WorkflowError
from models.release import load_releases

_AUTHOR = ("-c", "user.name=drivetrain-releases", "-c", "user.email=drivetrain-releases@users.noreply.github.com")


def propose_release(project_dir: Path, releases: Path, model: str, *, github: GitHub, remote: str, token: str) -> str:
    """Commit what is changed in the release files, push it, and open the request; returns its address, or nothing.

    One branch per content: the same release proposed again is the same branch, and its one request. Open requests of
    earlier releases of the model are closed: one that merged later would take this release back.
    """
    _git(project_dir, "add", "--", str(releases.relative_to(project_dir)))
    if not _git(project_dir, "diff", "--cached", "--name-only"):
        return ""
    branch = f"release/{model}-{_git(project_dir, 'write-tree')[:12]}"
    title = f"Release {model}"
    _git(project_dir, *_AUTHOR, "commit", "--quiet", "--message", title)
    _push(project_dir, remote, branch, token)
    github.supersede(re.compile(rf"release/{re.escape(model)}-[0-9a-f]{{12}}"), branch)
    return github.propose(branch, title, _text(releases, model))


def _text(releases: Path, model: str) -> str:
    lines = [
        f"Training proposes {model}. Signature, sha256 and gates were checked, and what it pins was copied to every",
        "account. When this is green it merges itself, and the merge deploys it: dev, then staging, then production.",
        "`git revert` takes it back.",
        "",
        "| stack | package | snapshot | metrics |",
        "| --- | --- | --- | --- |",
    ]
    for file in sorted(releases.glob("*.toml")):
        if release := load_releases(file).get(model):
            metrics = ", ".join(f"{name} {value:.3g}" for name, value in sorted(release.metrics.items()))
            lines.append(f"| {file.stem} | `{release.package.rpartition(':')[2]}` | {release.snapshot} | {metrics} |")
    return "\n".join(lines) + "\n"


def _push(project_dir: Path, remote: str, branch: str, token: str) -> None:
    """The token is in a file that only git reads: in an argument every process of the machine would see it."""
    with tempfile.TemporaryDirectory() as folder:
        credentials = Path(folder) / "credentials"
        server = remote.split("/")[2]
        credentials.write_text(f"https://x-access-token:{token}@{server}\n", encoding="utf-8")
        credentials.chmod(0o600)
        store = ("-c", f"credential.helper=store --file={credentials}")
        _git(project_dir, *store, "push", "--quiet", "--force", remote, f"HEAD:refs/heads/{branch}")


def _git(project_dir: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=project_dir, capture_output=True, text=True, check=False)
    if done.returncode:
        command = next(each for each in arguments if not each.startswith(("-", "user.", "credential.")))
        raise WorkflowError(f"git {command}: {done.stderr.strip()}")
    return done.stdout.strip()
