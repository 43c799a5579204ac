"""Against scripts that answer as `pulumi` does; the stand-in is run in tests/rehearsal/pulumi."""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from delivery.pulumi.command import PulumiError, PulumiMissingError, PulumiStack, StackLockedError

URN = "urn:pulumi:dev::p::aws:sqs/queue:Queue::jobs"


def stack(folder: Path, script: str) -> PulumiStack:
    """A stack whose `pulumi` is `script`; it can note its arguments in the file `called`."""
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    program = bin_folder / "pulumi"
    program.write_text(f'#!/bin/sh\necho "$@" >>{folder}/called\n{script}\n')
    program.chmod(0o755)
    return PulumiStack(
        project_dir=folder,
        name="dev",
        config_file=folder / "other.yaml",
        environment={"PATH": f"{bin_folder}:/usr/bin:/bin"},
    )


def called(folder: Path) -> str:
    return (folder / "called").read_text()


def test_without_the_command_it_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(PulumiMissingError, match="no `pulumi` on PATH; install it"):
        PulumiStack(project_dir=tmp_path, name="dev", environment={"PATH": str(tmp_path)}).outputs()


def test_a_preview_is_asked_for_with_everything_that_stays(tmp_path: Path) -> None:
    script = """echo '{"changeSummary": {"same": 3}}'"""
    found = stack(tmp_path, script).preview(refresh=True, policy_pack=Path("pack"))
    assert found.change_summary == {"same": 3}
    asked = called(tmp_path)
    assert asked.startswith("preview --json --show-sames --refresh --policy-pack pack --stack dev --non-interactive")
    assert f"--config-file {tmp_path}/other.yaml" in asked


def test_a_preview_that_fails_gives_the_reason_that_is_in_its_json(tmp_path: Path) -> None:
    answer = json.dumps({"diagnostics": [{"severity": "error", "message": "regoin: unknown key\n"}]})
    with pytest.raises(PulumiError, match=r"^pulumi preview --json of dev failed \(exit 1\): regoin: unknown key$"):
        stack(tmp_path, f"printf %s '{answer}'; exit 1").preview()


def test_an_up_tells_each_resource_and_counts(tmp_path: Path) -> None:
    events = [
        {"resourcePreEvent": {"metadata": {"op": "create", "urn": URN, "type": "aws:sqs/queue:Queue"}}},
        {"diagnosticEvent": {"severity": "warning", "message": "old runtime"}},
        {"summaryEvent": {"resourceChanges": {"create": 1, "same": 4}}},
    ]
    script = "\n".join(f"echo '{json.dumps(event)}'" for event in events)
    lines: list[str] = []
    summary = stack(tmp_path, script).up(on_line=lines.append)
    assert (summary.changed, summary.changes, summary.warnings) == (1, {"create": 1, "same": 4}, ("old runtime",))
    assert lines[0] == "creating aws:sqs/queue:Queue jobs"
    assert called(tmp_path).startswith("up --yes --skip-preview --json --stack dev")


def test_an_up_that_fails_gives_every_reason(tmp_path: Path) -> None:
    event = {"diagnosticEvent": {"severity": "error", "message": "QuotaExceeded", "urn": URN}}
    script = f"echo '{json.dumps(event)}'\necho 'error: update failed' >&2\nexit 1"
    with pytest.raises(PulumiError) as failed:
        stack(tmp_path, script).up()
    assert failed.value.diagnosis == "jobs: QuotaExceeded\nerror: update failed"


def test_a_locked_stack_is_told_apart(tmp_path: Path) -> None:
    text = "error: the stack is currently locked by 1 lock(s).\n  s3://x: created by ann@host (pid 3) at 2026"
    with pytest.raises(StackLockedError, match="created by ann@host"):
        stack(tmp_path, f"echo '{text}' >&2; exit 1").refresh()


def test_what_is_restored_comes_from_standard_input(tmp_path: Path) -> None:
    deployment = {"version": 3, "deployment": {"resources": ["x" * 200_000]}}
    stack(tmp_path, f"cat >{tmp_path}/given").restore(deployment)
    assert json.loads((tmp_path / "given").read_text()) == deployment


def test_the_other_commands_ask_no_question(tmp_path: Path) -> None:
    found = stack(tmp_path, "echo '{}'")
    found.select_or_create("awskms://alias/k")
    found.destroy()
    found.cancel()
    found.remove()
    assert (found.outputs(), found.export()) == ({}, {})
    told = called(tmp_path).splitlines()
    assert [line.split(" --stack")[0] for line in told] == [
        "stack select --create --secrets-provider awskms://alias/k",
        "destroy --yes --skip-preview",
        "cancel --yes",
        "stack rm --yes --preserve-config",
        "stack output --json",
        "stack export",
    ]
    assert all("--non-interactive" in line for line in told)


@pytest.mark.slow
def test_ctrl_c_waits_for_the_command_to_save_its_state(tmp_path: Path) -> None:
    """In a process of its own, which is interrupted once it listens to what its command says."""
    begun, saved = tmp_path / "begun", tmp_path / "saved"
    stack(tmp_path, f"trap 'sleep 0.5; touch {saved}; exit 1' INT\necho {begun}\nsleep 20 & wait $!")
    program = (
        "from pathlib import Path; from delivery.pulumi.command import PulumiStack\n"
        f"PulumiStack(project_dir=Path({str(tmp_path)!r}), name='dev', "
        f"environment={{'PATH': '{tmp_path}/bin:/usr/bin:/bin'}}).up(on_line=lambda line: Path(line.strip()).touch())"
    )
    process = subprocess.Popen([sys.executable, "-c", program], start_new_session=True, stderr=subprocess.PIPE)
    while not begun.exists() and process.poll() is None:
        threading.Event().wait(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=90)
    assert b"KeyboardInterrupt" in stderr
    assert saved.exists()
