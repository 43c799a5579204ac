import json
from pathlib import Path

import pytest

from rehearsal.engine.checkpoint import resource_entry
from rehearsal.engine.resource_state import ResourceState
from rehearsal.engine.urn import STACK_TYPE
from tests.rehearsal.pulumi.conftest import Pulumi

ROOT = ResourceState(
    urn="urn:pulumi:local::tiny::pulumi:pulumi:Stack::tiny-local",
    type=STACK_TYPE,
    custom=False,
    outputs={"bucket": "b", "password": "x"},
    secrets=("password",),
)
QUEUE = ResourceState(urn="urn:pulumi:local::tiny::aws:sqs/queue:Queue::q", type="aws:sqs/queue:Queue", custom=True)


def put_state(pulumi: Pulumi, folder: Path, *resources: ResourceState) -> None:
    deployment = {"manifest": {}, "resources": [resource_entry(resource) for resource in resources]}
    file = folder / "exported.json"
    file.write_text(json.dumps({"version": 3, "deployment": deployment}))
    assert pulumi("stack", "import", "--stack", "local", "--file", str(file)).stdout == "Import complete.\n"


def test_a_stack_is_made_selected_and_listed(pulumi: Pulumi, tmp_path: Path) -> None:
    assert pulumi("stack", "ls", "--json").stdout == "[]\n"
    made = pulumi("stack", "init", "local")
    assert (made.code, made.stderr) == (0, "Created stack 'local'\n")
    (entry,) = json.loads(pulumi("stack", "ls", "--json").stdout)
    assert (entry["name"], entry["current"], entry["updateInProgress"]) == ("local", True, False)
    state = json.loads((tmp_path / "backend/.pulumi/stacks/tiny/local.json").read_text())
    assert state["version"] == 3
    assert state["checkpoint"]["stack"] == "organization/tiny/local"
    again = pulumi("stack", "init", "local")
    assert (again.code, again.stderr) == (1, "error: stack 'local' already exists\n")


def test_select_makes_what_is_not_there_only_when_told(pulumi: Pulumi) -> None:
    missing = pulumi("stack", "select", "--stack", "local")
    assert (missing.code, missing.stderr) == (6, "error: no stack named 'local' found\n")
    assert pulumi("stack", "select", "--create", "--stack", "local").code == 0
    assert pulumi("stack", "select", "--create", "--stack", "local").stderr == ""


def test_outputs_hide_secrets_unless_asked(pulumi: Pulumi, tmp_path: Path) -> None:
    pulumi("stack", "init", "local")
    put_state(pulumi, tmp_path, ROOT)
    assert json.loads(pulumi("stack", "output", "--json").stdout) == {"bucket": "b", "password": "[secret]"}
    assert pulumi("stack", "output", "password", "--show-secrets").stdout == "x\n"
    assert pulumi("stack", "output", "bucket").stdout == "b\n"
    assert "password             [secret]" in pulumi("stack", "output").stdout
    nothing = pulumi("stack", "output", "domain")
    assert (nothing.code, nothing.stderr) == (1, "error: current stack does not have output property 'domain'\n")


def test_what_is_exported_can_be_imported(pulumi: Pulumi, tmp_path: Path) -> None:
    pulumi("stack", "init", "local")
    put_state(pulumi, tmp_path, ROOT, QUEUE)
    exported = json.loads(pulumi("stack", "export").stdout)
    assert [entry["urn"] for entry in exported["deployment"]["resources"]] == [ROOT.urn, QUEUE.urn]
    pulumi("stack", "init", "other")
    (tmp_path / "e.json").write_text(json.dumps(exported))
    assert pulumi("stack", "import", "--stack", "other", "--file", str(tmp_path / "e.json")).code == 0
    found = json.loads(pulumi("stack", "export", "--stack", "other").stdout)
    assert found["deployment"]["resources"] == exported["deployment"]["resources"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 9, "deployment": {}}'])
def test_what_is_no_deployment_is_not_imported(pulumi: Pulumi, tmp_path: Path, text: str) -> None:
    pulumi("stack", "init", "local")
    (tmp_path / "e.json").write_text(text)
    refused = pulumi("stack", "import", "--file", str(tmp_path / "e.json"))
    assert refused.code == 1
    assert "could not deserialize deployment" in refused.stderr


def test_a_stack_with_resources_is_not_forgotten(pulumi: Pulumi, tmp_path: Path) -> None:
    pulumi("stack", "init", "local")
    put_state(pulumi, tmp_path, ROOT, QUEUE)
    refused = pulumi("stack", "rm", "local", "--yes")
    assert (refused.code, refused.stderr) == (
        1,
        "error: refusing to remove stack because it still contains resources\n",
    )
    put_state(pulumi, tmp_path, ROOT)
    assert pulumi("stack", "rm", "local").code == 2
    assert pulumi("stack", "rm", "local", "--yes", "--preserve-config").stdout == "Stack 'local' has been removed!\n"
    assert pulumi("stack", "ls", "--json").stdout == "[]\n"
    assert Path("Pulumi.local.yaml").exists()
    assert list((tmp_path / "backend/.pulumi/backups/tiny/local").iterdir())


def test_cancel_removes_every_lock(pulumi: Pulumi, tmp_path: Path) -> None:
    pulumi("stack", "init", "local")
    lock = tmp_path / "backend/.pulumi/locks/organization/tiny/local/a.json"
    lock.parent.mkdir(parents=True)
    lock.write_text("{}")
    assert pulumi("cancel", "--stack", "local").code == 2
    assert pulumi("cancel", "--yes", "--stack", "local").code == 0
    assert not lock.exists()


def test_a_login_is_remembered(pulumi: Pulumi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL")
    refused = pulumi("stack", "ls")
    assert (refused.code, refused.stderr) == (
        3,
        "error: this command requires logging in; try running `pulumi login` first\n",
    )
    assert pulumi("login", f"file://{tmp_path}/elsewhere").code == 0
    assert pulumi("stack", "init", "local").code == 0
    assert (tmp_path / "elsewhere/.pulumi/stacks/tiny/local.json").exists()


def test_without_a_passphrase_a_stack_needs_a_secrets_provider(pulumi: Pulumi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
    refused = pulumi("stack", "init", "local")
    assert refused.code == 2
    assert "passphrase must be set with PULUMI_CONFIG_PASSPHRASE" in refused.stderr
    assert "unknown secrets provider" in pulumi("stack", "init", "local", "--secrets-provider", "gcpkms://x").stderr


def test_outside_of_a_project_it_says_so(pulumi: Pulumi, tmp_path: Path) -> None:
    assert "no Pulumi.yaml project file found" in pulumi("-C", str(tmp_path), "stack", "ls").stderr


@pytest.mark.parametrize("arguments", [["up", "--bogus"], ["stack"], ["watch"], ["preview", "--target", "x"]])
def test_what_the_stand_in_does_not_do_is_refused(pulumi: Pulumi, arguments: list[str]) -> None:
    assert pulumi(*arguments).code == 2


def test_the_version_says_that_it_is_a_stand_in(pulumi: Pulumi) -> None:
    told = pulumi("version")
    assert told.stdout.startswith("v3.")
    assert "not the Pulumi CLI" in told.stderr
