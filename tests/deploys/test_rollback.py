"""Release n, release n+1 that breaches its alarm, the automatic rollback, `git revert`: no request fails meanwhile."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from delivery.endpoints.live_instances import configuration_with
from rehearsal import server
from rehearsal.pulumi import shim
from tests.deploys.project import MODEL, Project, Stream, deploying_environment
from tests.e2e.checkout import copy_checkout

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
STACK = "production"
_CLOCK_RATE = 50.0
"""The bake of five minutes passes in 6 s, a minute of an alarm in 1.2 s: several slow answers come in each."""
_LIMIT_MS, _SLOW_S = 600, 0.8
"""Far above what the quick release takes on a machine that is busy with other tests, or stands still for a moment."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The repository, and a rehearsal to deploy it to."""
    folder = tmp_path_factory.mktemp("deploys")
    path = copy_checkout(folder / "checkout").path
    specification = path / "models" / "auto_mpg" / "model.toml"
    text = specification.read_text(encoding="utf-8")
    specification.write_text(text.replace("p99_latency_ms = 200", f"p99_latency_ms = {_LIMIT_MS}"), encoding="utf-8")
    rehearsal = server.start(folder / "rehearsal", stop_grace_s=2.0)
    try:
        shim(folder / "bin")
        rehearsal.set_clock_rate(_CLOCK_RATE)
        project = Project(path, STACK, rehearsal, {})
        of_rehearsal = rehearsal.environment(project.settings.account_id, project.settings.region)
        project = Project(path, STACK, rehearsal, deploying_environment(folder, of_rehearsal))
        project.git("init", "--quiet", "--initial-branch=main")
        project.commit("The platform")
        yield project
    finally:
        rehearsal.stop()


def test_a_release_that_breaches_its_alarm_is_rolled_back_and_reverted_while_every_request_is_answered(
    project: Project,
) -> None:
    # What stands before is applied by hand, which is a third of the work: a deployment previews and judges as well.
    project.pulumi.select_or_create()
    project.pulumi.up()
    done = project.drivetrain("verify", STACK)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{STACK}: nothing is released, so there is nothing to verify" in done.stdout
    first = project.release(1, pause_s=0.0)
    project.pulumi.up()
    sagemaker = project.client("sagemaker")
    live = sagemaker.describe_endpoint(EndpointName=project.endpoint)["EndpointConfigName"]
    wanted = [{"VariantName": "main", "DesiredInstanceCount": 3}]
    sagemaker.update_endpoint_weights_and_capacities(EndpointName=project.endpoint, DesiredWeightsAndCapacities=wanted)

    with Stream(project) as stream:
        second = project.release(2, pause_s=_SLOW_S)
        done = project.drivetrain("deploy", STACK)
        assert done.returncode == 1, done.stdout
        assert "SageMaker rolled the update back" in done.stderr
        assert f"caused by the alarm {project.endpoint}-update-latency at" in done.stderr
        assert stream.since(0) == {first.package, second.package}, "the canary answered a part of the requests"
        assert stream.next_answers() == {first.package}
        endpoint = sagemaker.describe_endpoint(EndpointName=project.endpoint)
        assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", live)
        (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=live)["ProductionVariants"]
        assert sagemaker.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"]["Image"] == first.image

        done = project.drivetrain("verify", STACK, "--json")
        assert done.returncode == 1
        (told,) = json.loads(done.stdout)["models"]
        assert (told["model"], told["ok"], told["rolled_back"]) == (MODEL, False, True)
        assert told["causes"][0]["alarm"] == f"{project.endpoint}-update-latency"

        project.git("revert", "--no-edit", "HEAD")
        done = project.drivetrain("deploy", STACK, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        outcome = json.loads(done.stdout)
        assert outcome["instances"] == {MODEL: 3}
        assert outcome["verdicts"][0]["ok"]
        assert stream.next_answers() == {first.package}
    assert stream.failures == []
    assert len(stream.answers) > 100

    endpoint = sagemaker.describe_endpoint(EndpointName=project.endpoint)
    (variant,) = endpoint["ProductionVariants"]
    assert variant["DesiredInstanceCount"] == 3, "no instance that autoscaling added was taken away"
    configurations = {each["EndpointConfigName"] for each in sagemaker.list_endpoint_configs()["EndpointConfigs"]}
    assert configurations == {endpoint["EndpointConfigName"]}, "what no endpoint uses any more is gone"
    assert live in outcome["retired"]["configurations"]

    with configuration_with(project.path / f"Pulumi.{STACK}.yaml", {MODEL: 4}) as file:
        changes = replace(project.pulumi, config_file=file).preview().changes
    assert changes == (), "another number of instances alone is no reason for a new configuration"
    assert len(sagemaker.list_models()["Models"]) == 1
