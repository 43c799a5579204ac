"""Lines of commit messages: what they allow, what they do not, and what is said of a line that is not right."""

import subprocess
from pathlib import Path

import pytest

from delivery.gate import GATE_RULES, AllowanceError, check, parse_allowances, read_allowances
from delivery.pulumi.preview import Preview
from tests.delivery.gate.steps import step, there

BUCKET = "aws:s3/bucket:Bucket"


def deleting(*names: str) -> Preview:
    return Preview(steps=(*there(), *(step("delete", BUCKET, name) for name in names)), change_summary={})


def stopped(preview: Preview, message: str) -> list[str]:
    return [each.name for each in check(preview, parse_allowances(message, "commit 1")).stopped]


@pytest.mark.parametrize(
    "line",
    [
        "Allow-change: delete-data raw",
        "allow-change:delete-data   raw",
        "Allow-change: delete-data aws:s3/bucket:Bucket::raw",
        "Allow-change: delete-data urn:pulumi:dev::drivetrain::aws:s3/bucket:Bucket::raw",
        "Allow-change: delete-data ra*",
        "Allow-change: delete-data urn:pulumi:dev::*::r?w",
        "Allow-change: delete-data raw because its data moved to the curated layer",
    ],
)
def test_a_line_allows_just_that(line: str) -> None:
    message = f"Move the raw data\n\nIt is in the curated layer now.\n\n{line}\nSigned-off-by: A <a@example.org>\n"
    assert stopped(deleting("raw"), message) == []
    assert stopped(deleting("raw", "another"), message) == ["another"]


@pytest.mark.parametrize(
    "line",
    [
        "Allow-change: delete-data another",
        "Allow-change: delete-identity raw",
        "Allow-change: delete-data RAW",
        "Allow-change: delete-data urn:pulumi:production::*::raw",
        "  Allow-change: delete-data raw",
        "> Allow-change: delete-data raw",
        "It says Allow-change: delete-data raw",
    ],
)
def test_a_line_for_something_else_does_not_help(line: str) -> None:
    assert stopped(deleting("raw"), f"Title\n\n{line}\n") == ["raw"]


def test_a_line_that_allows_nothing_here_is_told() -> None:
    allowances = parse_allowances("Allow-change: delete-data raw\nAllow-change: widen-iam train*\n", "commit 1")
    verdict = check(deleting("raw"), allowances)
    assert [(one.rule, allowance.pattern) for one, allowance in verdict.allowed] == [("delete-data", "raw")]
    assert [each.text for each in verdict.unused] == ["Allow-change: widen-iam train* (commit 1, line 2)"]
    assert "not needed here: Allow-change: widen-iam train* (commit 1, line 2)" in verdict.text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Allow-change:", "the form is: Allow-change: <rule> <logical name"),
        ("Allow-change: delete-data", "the form is"),
        ("Allow-change: delete-data raw since it is old", "the form is"),
        ("Allow-change: delete-date raw", "there is no rule 'delete-date'; did you mean 'delete-data'?"),
        ("Allow-change: everything raw", "the rules are: delete-data, delete-identity"),
        ("Allow-change: * raw", "there is no rule '*'"),
        ("Allow-change: delete-data *", "would allow everything; name what may change"),
        ("Allow-change: delete-data **?*", "would allow everything"),
    ],
)
def test_a_line_that_is_not_right_is_an_error_that_says_what_is(line: str, said: str) -> None:
    with pytest.raises(AllowanceError) as caught:
        parse_allowances(f"Title\n\n{line}\n", "commit 0123456789")
    assert str(caught.value).startswith("commit 0123456789, line 3: ")
    assert said in str(caught.value)


def test_every_rule_may_be_allowed() -> None:
    message = "\n".join(f"Allow-change: {rule} raw" for rule in GATE_RULES)
    assert [each.rule for each in parse_allowances(message, "commit 1")] == list(GATE_RULES)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """main: base, then a merge of a branch whose commit and whose merge each allow something."""
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    commit(tmp_path, "Base\n\nAllow-change: delete-data long-ago\n")
    git(tmp_path, "tag", "base")
    git(tmp_path, "checkout", "--quiet", "-b", "change")
    commit(tmp_path, "Change\n\nAllow-change: delete-data raw\n")
    git(tmp_path, "checkout", "--quiet", "main")
    git(tmp_path, "merge", "--quiet", "--no-ff", "-m", "Merge\n\nAllow-change: widen-iam train\n", "change")
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def commit(folder: Path, message: str) -> None:
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message)


def test_all_commits_of_the_range_count_merges_too_and_none_before(repository: Path) -> None:
    found = {(each.rule, each.pattern) for each in read_allowances(repository, "base..main")}
    assert found == {("delete-data", "raw"), ("widen-iam", "train")}
    assert [each.pattern for each in read_allowances(repository, "main^!")] == ["train"]
    assert read_allowances(repository, "main..main") == ()


@pytest.mark.parametrize("commits", ["main", "HEAD", "--all", "base..nowhere"])
def test_what_is_no_range_of_commits_is_refused(repository: Path, commits: str) -> None:
    with pytest.raises(AllowanceError, match=r"right is BASE\.\.HEAD"):
        read_allowances(repository, commits)
