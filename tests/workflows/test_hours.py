"""The clock's workflow: staging's endpoints are brought to what its hours say."""

import pytest

from tests.workflows.act import Run
from tests.workflows.world import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


def test_the_hours_of_staging_are_kept_with_the_rights_of_its_deploy_role(world: World, first_merge: Run) -> None:
    assert first_merge.green, first_merge.text
    run = world.run("schedule", {"schedule": "7 * * * *"}, "hours")
    assert run.result("endpoints of staging") == "success", run.text
    assert "the endpoints of staging are" in run.text or "drivetrain-staging-auto-mpg" in run.text
