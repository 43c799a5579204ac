"""Lines of commit messages that allow what the gate stops: `Allow-change: <rule> <pattern> [because <reason>]`.

The grammar, with examples, is in docs/delivery-gate.md.
"""

import difflib
import fnmatch
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from delivery.errors import DeliveryError
from delivery.gate.finding import GATE_RULES, Finding, GateRule

FORM = "Allow-change: <rule> <logical name, TYPE::NAME or URN; * and ? are wildcards> [because <reason>]"
_KEY = re.compile(r"^allow-change\s*:(?P<rest>.*)$", re.IGNORECASE)
_REST = re.compile(r"^(?P<rule>\S+)\s+(?P<pattern>\S+)(?:\s+because\s+(?P<reason>\S.*))?$")
_RECORD, _FIELD = "\x1e", "\x1f"


class AllowanceError(DeliveryError):
    """A line that means to allow something and does not; the message says where it is and what would be right."""


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """One line: what it allows, and in which commit it stands."""

    rule: GateRule
    pattern: str
    reason: str = ""
    origin: str = ""

    @property
    def text(self) -> str:
        """The line, and where it is."""
        because = f" because {self.reason}" if self.reason else ""
        return f"Allow-change: {self.rule} {self.pattern}{because} ({self.origin})"

    def allows(self, finding: Finding) -> bool:
        """Whether it allows just this."""
        candidates = (finding.name, f"{finding.type}::{finding.name}", finding.urn)
        return self.rule == finding.rule and any(fnmatch.fnmatchcase(each, self.pattern) for each in candidates)


def parse_allowances(message: str, origin: str) -> tuple[Allowance, ...]:
    """The allowances in one message; `origin` is what an AllowanceError calls it, such as a commit."""
    found = [(number, match) for number, line in enumerate(message.splitlines(), 1) if (match := _KEY.match(line))]
    return tuple(_allowance(match["rest"].strip(), f"{origin}, line {number}") for number, match in found)


def read_allowances(project_dir: Path, commits: str) -> tuple[Allowance, ...]:
    """The allowances of every commit of the range `BASE..HEAD` (or of one, `HEAD^!`), merges included.

    A single name is refused: to git it is all of the history, with everything that was ever allowed.
    """
    if commits.startswith("-") or not (".." in commits or commits.endswith("^!")):
        raise AllowanceError(f"--commits {commits!r}: no range of commits; right is BASE..HEAD")
    command = ["git", "log", f"--format=%H{_FIELD}%B{_RECORD}", "--end-of-options", commits, "--"]
    done = subprocess.run(command, cwd=project_dir, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise AllowanceError(f"--commits {commits!r}: git: {said[0] if said else 'failed'}; right is BASE..HEAD")
    return tuple(allowance for record in done.stdout.split(_RECORD) for allowance in _of_record(record))


def _of_record(record: str) -> Sequence[Allowance]:
    commit, _, message = record.strip().partition(_FIELD)
    return parse_allowances(message, f"commit {commit[:10]}")


def _allowance(rest: str, origin: str) -> Allowance:
    match = _REST.match(rest)
    if match is None:
        raise AllowanceError(f"{origin}: 'Allow-change: {rest}' allows nothing; the form is: {FORM}")
    rule, pattern = match["rule"], match["pattern"]
    if rule not in GATE_RULES:
        close = difflib.get_close_matches(rule, GATE_RULES, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise AllowanceError(f"{origin}: there is no rule {rule!r}{hint}; the rules are: {', '.join(GATE_RULES)}")
    if not re.search(r"[A-Za-z0-9]{2}", pattern):
        raise AllowanceError(f"{origin}: {pattern!r} would allow everything; name what may change: {FORM}")
    return Allowance(rule=rule, pattern=pattern, reason=match["reason"] or "", origin=origin)
