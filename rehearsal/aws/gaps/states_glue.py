"""Step Functions' `glue:startJobRun.sync`: moto's own fails before it waits, and never stops a run that is given up."""

import importlib
from typing import Any, Final

from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_glue as glue
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition

from rehearsal.aws.gaps import replace, states_clients

# moto's .sync waits on the endpoint of a task token, which it only makes where tokens are supported
PATTERNS: Final[Any] = {ResourceCondition.Sync, ResourceCondition.WaitForTaskToken}
_service: Final[Any] = glue.StateTaskServiceGlue
_wait: Final[Any] = _service._eval_sync
_follow: Final[Any] = _service._sync_to_start_job_run


def install() -> None:
    """Let it wait, and stop the run with its execution, as on AWS ("Run a job (.sync)")."""
    importlib.import_module("moto.stepfunctions.parser.models")
    replace(glue, _SUPPORTED_INTEGRATION_PATTERNS=PATTERNS)
    replace(_service, _sync_to_start_job_run=_remember_and_follow, _eval_sync=_wait_or_stop)


def _remember_and_follow(self: Any, env: Any, part: Any, parameters: dict[str, Any], credentials: Any) -> Any:
    started = env.stack[-1]
    client = states_clients.client_for(part.region, "glue", credentials)
    self.give_up = lambda: client.batch_stop_job_run(JobName=started["JobName"], JobRunIds=[started["JobRunId"]])
    return _follow(self, env, part, parameters, credentials)


def _wait_or_stop(self: Any, env: Any, *positional: Any, **named: Any) -> Any:
    outcome = _wait(self, env, *positional, **named)
    if outcome is None and not env.is_running():
        self.give_up()
    return outcome
