"""What a rehearsal holds at this moment."""

from pathlib import Path
from typing import Any

from cli.connection import Connection, connect, server_holds
from cli.output import console, print_table
from models.release import load_releases
from models.spec import discover
from pipelines import executions
from rehearsal import server

_SHOWN_EXECUTIONS = 5


def local_status(state_dir: Path, name: str) -> dict[str, Any]:
    """The rehearsal as JSON: whether it is up, its stacks, the executions of each model, its endpoints."""
    running = server.running(state_dir)
    if running is None:
        return {"name": name, "up": False}
    stacks = sorted(path.stem for path in (state_dir / "stacks").glob("*.json") if server_holds(state_dir, path.stem))
    return {
        "name": name,
        "up": True,
        "aws": running.endpoint_url,
        "pid": running.pid,
        "stacks": {stack: stack_status(connect(stack, name)) for stack in stacks},
        "endpoints": running.endpoints(),
    }


def stack_status(connection: Connection) -> dict[str, Any]:
    """Each model's release and newest executions; "deployed" is false where its state machine is not there (yet)."""
    states = connection.client("stepfunctions")
    releases = load_releases(connection.releases_file)
    models: dict[str, Any] = {}
    for spec in discover(connection.project_dir / "models"):
        machine = connection.names.state_machine_arn(spec.name)
        try:
            arns, deployed = executions.execution_arns(states, machine)[:_SHOWN_EXECUTIONS], True
        except states.exceptions.StateMachineDoesNotExist:
            arns, deployed = [], False
        described = [states.describe_execution(executionArn=arn) for arn in arns]
        models[spec.name] = {
            "deployed": deployed,
            "release": releases[spec.name].package if spec.name in releases else None,
            "executions": [
                {"name": found["name"], "status": found["status"], "started": found["startDate"].isoformat()}
                for found in described
            ],
        }
    return {"account": connection.settings.account_id, "models": models}


def print_status(found: dict[str, Any]) -> None:
    """The same for a person."""
    if not found["up"]:
        console.print(f"the rehearsal {found['name']!r} is not up; bring it up with: drivetrain local up", markup=False)
        return
    console.print(f"the rehearsal {found['name']!r} is up: AWS at {found['aws']}, pid {found['pid']}", markup=False)
    rows = [
        (stack, held["account"], model, state["release"] or "none yet", _last(state))
        for stack, held in found["stacks"].items()
        for model, state in held["models"].items()
    ]
    print_table("", ("stack", "account", "model", "release", "last execution"), rows)
    endpoints = [(entry["endpoint"], entry["status"], entry["url"]) for entry in found["endpoints"]]
    print_table("", ("endpoint", "status", "address"), endpoints)


def _last(state: dict[str, Any]) -> str:
    if not state["deployed"]:
        return "not deployed"
    found = state["executions"]
    return f"{found[0]['status'].lower()} ({found[0]['name']})" if found else "none yet"
