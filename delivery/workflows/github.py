"""GitHub through its command line `gh`, which takes the job's token from GH_TOKEN: one comment, one issue, one request.

What a workflow writes it finds again by a mark in the text, so that it edits instead of repeating.
"""

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from delivery.workflows.workflow import WorkflowError

MAXIMUM_BODY = 65_536
"""Characters that GitHub takes in a comment or an issue."""


@dataclass(frozen=True, kw_only=True)
class GitHub:
    """One repository, as the token may see and change it."""

    repository: str

    def upsert_comment(self, number: int, mark: str, text: str) -> str:
        """Write the marked comment of a pull request, or edit the one that is there; says which."""
        body = _body(mark, text)
        path = f"repos/{self.repository}/issues/{number}/comments"
        for comment in self._pages(path):
            if str(comment["body"]).startswith(_marked(mark)):
                self._send("PATCH", f"repos/{self.repository}/issues/comments/{comment['id']}", {"body": body})
                return "edited"
        self._send("POST", path, {"body": body})
        return "written"

    def upsert_issue(self, mark: str, title: str, text: str) -> str:
        """Open the marked issue, or edit the one that is open; says which."""
        body = _body(mark, text)
        found = self._open_issue(mark)
        if found is None:
            self._send("POST", f"repos/{self.repository}/issues", {"title": title, "body": body})
            return "opened"
        self._send("PATCH", f"repos/{self.repository}/issues/{found['number']}", {"title": title, "body": body})
        return "edited"

    def close_issue(self, mark: str, text: str) -> bool:
        """Close the marked issue with a last comment; False when none is open."""
        found = self._open_issue(mark)
        if found is None:
            return False
        number = found["number"]
        self._send("POST", f"repos/{self.repository}/issues/{number}/comments", {"body": text})
        self._send(
            "PATCH", f"repos/{self.repository}/issues/{number}", {"state": "closed", "state_reason": "completed"}
        )
        return True

    def propose(self, branch: str, title: str, text: str) -> str:
        """Open a pull request from `branch` that merges itself when its checks are green; returns its address.

        One that is open already is taken: a branch has one.
        """
        owner = self.repository.split("/")[0]
        found = self._pages(f"repos/{self.repository}/pulls?state=open&head={owner}:{branch}")
        if found:
            url = str(found[0]["html_url"])
        else:
            document = {"title": title, "body": text, "head": branch, "base": "main"}
            url = str(self._send("POST", f"repos/{self.repository}/pulls", document)["html_url"])
        _gh(["pr", "merge", "--auto", "--squash", url])
        return url

    def supersede(self, branches: re.Pattern[str], branch: str) -> list[int]:
        """Close the open requests from other branches that match, each with a comment; returns their numbers."""
        # Of this repository only: a fork may call its branch what it likes.
        label = f"{self.repository.split('/')[0]}:"
        found: list[int] = []
        for pull in self._pages(f"repos/{self.repository}/pulls?state=open&base=main&per_page=100"):
            theirs = str(pull["head"]["label"]).removeprefix(label)
            if theirs != branch and branches.fullmatch(theirs):
                number = int(pull["number"])
                self._send(
                    "POST",
                    f"repos/{self.repository}/issues/{number}/comments",
                    {"body": f"Superseded by `{branch}`."},
                )
                self._send("PATCH", f"repos/{self.repository}/pulls/{number}", {"state": "closed"})
                found.append(number)
        return found

    def _open_issue(self, mark: str) -> dict[str, Any] | None:
        issues = self._pages(f"repos/{self.repository}/issues?state=open&per_page=100")
        return next((issue for issue in issues if str(issue["body"] or "").startswith(_marked(mark))), None)

    def _pages(self, path: str) -> list[dict[str, Any]]:
        return [each for page in json.loads(_gh(["api", "--paginate", "--slurp", path])) for each in page]

    def _send(self, method: str, path: str, document: dict[str, str]) -> dict[str, Any]:
        return json.loads(_gh(["api", "--method", method, path, "--input", "-"], stdin=json.dumps(document)))


def merged_reports(folder: Path, expected: Sequence[str]) -> dict[str, str | None]:
    """The text of `<stack>.md` for each expected stack; None for one whose job did not get that far."""
    files = {stack: folder / f"{stack}.md" for stack in expected}
    return {stack: file.read_text(encoding="utf-8") if file.is_file() else None for stack, file in files.items()}


def _marked(mark: str) -> str:
    return f"<!-- drivetrain:{mark} -->"


def _body(mark: str, text: str) -> str:
    body = f"{_marked(mark)}\n{text}"
    if len(body) <= MAXIMUM_BODY:
        return body
    notice = "\n\n… cut here: GitHub takes no more. The whole of it is in the run's artifacts.\n"
    return body[: MAXIMUM_BODY - len(notice)] + notice


def _gh(arguments: list[str], stdin: str | None = None) -> str:
    try:
        done = subprocess.run(["gh", *arguments], input=stdin, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise WorkflowError("gh, the command line of GitHub, is not on PATH: https://cli.github.com") from error
    if done.returncode:
        raise WorkflowError(f"gh {' '.join(arguments[:4])}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
