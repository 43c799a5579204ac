"""The main job: the platform on the rehearsal AWS, real data in its lake, a model trained, released and served.

Every stage looks at what is there first, so a second run changes nothing, and a run that was stopped goes on.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli import landing
from cli.accounts import rehearsed_account
from cli.connection import LOCAL_STACK, Connection, connect
from cli.deployment import bootstrap_rehearsed, deploy_rehearsed, import_program
from cli.ending import end, nothing_left_when_interrupted
from cli.output import console, stage
from cli.pipeline_progress import follow
from cli.prediction import invoke
from cli.whereabouts import example_row, say_where
from delivery.images.stack_images import sign_present
from delivery.releases.accounts import Account
from delivery.releases.adoption import adopt, choose
from infra.model_folders import checked_models
from infra.names import IMAGES, Image
from infra.settings import load_settings
from infra.sources import project_directory
from models.release import load_releases
from models.spec import ModelSpec
from pipelines import executions
from rehearsal import images, server
from rehearsal.containers import push
from rehearsal.containers.build import BuiltImage, build
from rehearsal.containers.engine import default_folder, open_engine
from rehearsal.server import Rehearsal, ServerError


@dataclass
class Changes:
    """Whether a run changed anything."""

    count: int = 0


def bring_up(state_dir: Path, port: int | None, *, containers: bool = False) -> None:
    """Run every stage that is not done yet, then say where everything is; jobs and endpoints in containers if asked.

    ContainerError where this machine cannot run containers, before anything is started.
    """
    project_dir = project_directory()
    settings = load_settings(project_dir, LOCAL_STACK)
    specs = checked_models(project_dir)
    started = time.monotonic()
    changes = Changes()
    with nothing_left_when_interrupted(state_dir):
        built = _build_images(project_dir, state_dir, containers=containers)
        running = _start(state_dir, port, changes, containers=default_folder(project_dir) if built else None)
        changes.count += bootstrap_rehearsed(settings, running).changed
        changes.count += deploy_rehearsed(settings, running, "deploy the platform").changed
        connection = connect(LOCAL_STACK, state_dir.name)
        account = rehearsed_account(settings, running)
        _push_images(connection, account, running, built, changes)
        for spec in specs:
            _train_first_release(connection, account, spec, changes)
        changes.count += deploy_rehearsed(settings, running, "bring the endpoints up").changed
        for spec in specs:
            _predict(connection, spec)
    headline = f"up after {time.monotonic() - started:.0f} s" if changes.count else "already up: nothing was changed"
    say_where(running, settings.names, specs, headline)


def _build_images(project_dir: Path, state_dir: Path, *, containers: bool) -> dict[Image, BuiltImage]:
    """The images that jobs and endpoints run in, built where they are not there; none when these are processes."""
    running = server.running(state_dir)
    if running is not None and containers and running.containers is None:
        raise ServerError("the rehearsal is up with processes; for containers end it first: drivetrain local down")
    if not containers and (running is None or running.containers is None):
        return {}
    engine = open_engine(default_folder(project_dir))
    with stage("build the images (podman; Glue jobs and the state machine stay processes)") as step:
        built: dict[Image, BuiltImage] = {image: build(engine, project_dir, image) for image in IMAGES}
        sizes = ", ".join(f"{image} {found.own_bytes / 1e6:.0f} MB over the base" for image, found in built.items())
        step.outcome = sizes
    return built


def _start(state_dir: Path, port: int | None, changes: Changes, *, containers: Path | None) -> Rehearsal:
    running = server.running(state_dir)
    if running is not None and port in (None, running.port):
        return running
    import_program()
    with stage("start the offline AWS (moto, on this machine)") as step:
        if running is None:
            # The AWS lives in the server's memory, so what a dead one left behind describes nothing.
            end(state_dir)
        running = server.start(state_dir, port, containers=containers)
        changes.count += 1
        step.outcome = running.endpoint_url
    return running


def _push_images(
    connection: Connection,
    account: Account,
    running: Rehearsal,
    built: Mapping[Image, BuiltImage],
    changes: Changes,
) -> None:
    settings = connection.settings
    environment = running.environment(settings.account_id, settings.region)
    what = "their layers stay in podman's storage" if built else "sources only: jobs run as processes"
    with stage(f"push the images ({what})") as step:
        ecr = connection.client("ecr")
        before = {image: _image_count(ecr, settings.names.repository(image)) for image in IMAGES}
        digests = {image: _push(connection, image, environment, built.get(image)) for image in IMAGES}
        sign_present(account, connection.project_dir)
        changes.count += sum(_image_count(ecr, settings.names.repository(image)) - before[image] for image in IMAGES)
        step.outcome = ", ".join(f"{image}@{digest[7:19]}" for image, digest in digests.items())


def _push(connection: Connection, image: Image, environment: dict[str, str], built: BuiltImage | None) -> str:
    names = connection.settings.names
    if built is None:
        return images.push(connection.project_dir, image, names, environment)
    return push.push(
        open_engine(default_folder(connection.project_dir)),
        built,
        project_dir=connection.project_dir,
        image=image,
        names=names,
        environment=environment,
    )


def _image_count(ecr: Any, repository: str) -> int:
    return len(ecr.list_images(repositoryName=repository)["imageIds"])


def _train_first_release(connection: Connection, account: Account, spec: ModelSpec, changes: Changes) -> None:
    """Data, pipeline and release of a model that has no release yet."""
    if spec.name in load_releases(connection.releases_file):
        return
    states = connection.client("stepfunctions")
    machine = connection.names.state_machine_arn(spec.name)
    known = set(executions.execution_arns(states, machine))
    landed = _land(connection, spec)
    if landed is None and not known:
        console.print(f"   {spec.name} brings no data of its own: drivetrain ingest {spec.name} FILE", markup=False)
        return
    with stage(f"run the pipeline of {spec.name}") as step:
        arn = _execution(connection, spec, known, landed=landed or "")
        outcome = follow(connection, spec, arn, step)
        step.outcome = f"execution {outcome.name}"
    with stage(f"release {spec.name}") as step:
        proposed = choose(account, spec.name, "")
        adopt(account, spec, proposed)
        metrics = ", ".join(f"{name} {value:.3g}" for name, value in sorted(proposed.release.metrics.items()))
        group, version = proposed.release.package.split("/")[-2:]
        step.outcome = f"{group} version {version}: {metrics}"
    changes.count += 1


def _land(connection: Connection, spec: ModelSpec) -> str | None:
    """The key at which the model's own data landed just now, empty when it was there; None for a model without any."""
    fetch = landing.source_of(spec)
    if fetch is None:
        return None
    with stage(f"land the data of {spec.name}") as step:
        body = fetch()
        key = landing.landing_key(spec, f"{spec.table}.csv", body)
        landed = landing.land(connection, key, body)
        step.outcome = f"s3://{connection.names.bucket('landing')}/{key}" + ("" if landed else " (was there)")
    return key if landed else ""


def _execution(connection: Connection, spec: ModelSpec, known: set[str], *, landed: str) -> str:
    """The execution that the landed key starts, or one that is still running, or, where neither is, a new one."""
    states = connection.client("stepfunctions")
    machine = connection.names.state_machine_arn(spec.name)
    if landed:
        return executions.wait_for_start(states, machine, known=known, prefix=landed)
    for arn in known:
        if states.describe_execution(executionArn=arn)["status"] == "RUNNING":
            return arn
    return executions.start(states, machine, prefix=f"{spec.name}/", force=True)


def _predict(connection: Connection, spec: ModelSpec) -> None:
    fetch = landing.source_of(spec)
    if fetch is None or spec.name not in load_releases(connection.releases_file):
        return
    with stage(f"ask {spec.name} for a prediction") as step:
        row = example_row(spec, fetch())
        answer = invoke(connection, spec, json.dumps(row).encode(), "application/json")
        step.outcome = f"{spec.target} {answer.predictions[0]:.1f} {answer.unit}"
