"""Stands in for `gh`: the calls that delivery/workflows/github.py makes, on a repository that is one JSON file.

A call that GitHub would refuse (no token, a permission that the job lacks, a path it does not know) is refused.
"""

import fcntl
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import job

_BOT, _APP = "github-actions[bot]", "drivetrain-releases[bot]"


def main(arguments: list[str]) -> int:
    token = os.environ.get("GH_TOKEN", "")
    if not token:
        return _refuse("gh: To use GitHub CLI in a GitHub Actions workflow, set the GH_TOKEN environment variable.")
    path = Path(os.environ["REHEARSED_GITHUB"])
    with path.open("r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        state = json.load(file)
        code = _run(arguments, token, state)
        file.seek(0)
        file.truncate()
        json.dump(state, file, indent=2)
    return code


def _run(arguments: list[str], token: str, state: dict[str, Any]) -> int:
    app = token.startswith("ghs_app_")
    match arguments:
        case ["api", "--paginate", "--slurp", path]:
            return _answer([_read(state, path)])
        case ["api", "--method", method, path, "--input", "-"]:
            return _answer(_write(state, method, path, json.load(sys.stdin), app=app))
        case ["pr", "merge", "--auto", "--squash", url]:
            if not app:
                return _refuse("what the job's own token merges starts no workflow: nothing would be deployed")
            number = int(url.rpartition("/")[2])
            next(each for each in state["pulls"] if each["number"] == number)["auto_merge"] = True
            return 0
        case _:
            return _refuse(f"unknown command {arguments}")


def _read(state: dict[str, Any], path: str) -> list[dict[str, Any]]:
    repository = os.environ["GITHUB_REPOSITORY"]
    match re.sub(r"\?.*", "", path.removeprefix(f"repos/{repository}/")).split("/"):
        case ["issues", number, "comments"]:
            return [each for each in state["comments"] if each["issue"] == int(number)]
        case ["issues"]:
            return [each for each in state["issues"] if each["state"] == "open"]
        case ["pulls"]:
            owner, wanted = repository.split("/")[0], re.search(r"[?&]head=([^&]*)", path)
            found = [{**each, "head": {"label": f"{owner}:{each['head']}"}} for each in state["pulls"]]
            opened = [each for each in found if each["state"] == "open"]
            return [each for each in opened if wanted is None or each["head"]["label"] == wanted[1]]
        case _:
            sys.exit(_refuse(f"gh: Not Found (HTTP 404): {path}"))


def _write(state: dict[str, Any], method: str, path: str, document: dict[str, Any], *, app: bool) -> dict[str, Any]:
    repository = os.environ["GITHUB_REPOSITORY"]
    user = _APP if app else _BOT
    number = 1 + len(state["issues"]) + len(state["comments"]) + len(state["pulls"]) + state["first_number"]
    match method, path.removeprefix(f"repos/{repository}/").split("/"):
        case "POST", ["issues", issue, "comments"]:
            _permit(state, int(issue), app=app)
            made = {"id": number, "issue": int(issue), "body": document["body"], "user": user}
            state["comments"].append(made)
        case "PATCH", ["issues", "comments", comment]:
            made = next(each for each in state["comments"] if each["id"] == int(comment))
            _permit(state, made["issue"], app=app)
            made |= {"body": document["body"], "edits": made.get("edits", 0) + 1}
        case "POST", ["issues"]:
            _permit(state, None, app=app)
            made = {"number": number, "state": "open", "user": user, "edits": 0, **document}
            state["issues"].append(made)
        case "PATCH", ["issues", issue]:
            _permit(state, None, app=app)
            made = next(each for each in state["issues"] if each["number"] == int(issue))
            made |= {**document, "edits": made["edits"] + 1}
        case "POST", ["pulls"]:
            made = {"number": number, "state": "open", "user": user, "auto_merge": False, **document}
            made["html_url"] = f"https://github.com/{repository}/pull/{number}"
            state["pulls"].append(made)
        case "PATCH", ["pulls", pull]:
            _permit(state, int(pull), app=app)
            made = next(each for each in state["pulls"] if each["number"] == int(pull))
            made |= document
        case _:
            sys.exit(_refuse(f"gh: Not Found (HTTP 404): {method} {path}"))
    return made


def _permit(state: dict[str, Any], issue: int | None, *, app: bool) -> None:
    if not app:
        job.permitted("pull-requests" if issue == state["pull_request"] else "issues", "write")


def _answer(document: object) -> int:
    print(json.dumps(document))
    return 0


def _refuse(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
