"""Step Functions' optimised integration with SageMaker, `.sync` included, in the style of moto's Glue one.

A job that does not complete fails its task with States.TaskFailed and the whole of Describe as its cause; a task that
is given up (execution stopped, state timed out) stops its job, as on AWS ("Run a job (.sync)").
"""

import importlib
import json
from collections.abc import Callable
from typing import Any, Final

from botocore.exceptions import ClientError
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)

from rehearsal.aws.gaps import replace, states_clients
from rehearsal.aws.gaps.states_glue import PATTERNS
from rehearsal.aws.gaps.states_values import milliseconds, plain
from rehearsal.aws.jobs import requests

_SERVICE: Final = "moto.stepfunctions.parser.asl.component.state.exec.state_task.service"
_JOBS: Final = {
    "CreateTrainingJob": "TrainingJob",
    "CreateProcessingJob": "ProcessingJob",
    "CreateTransformJob": "TransformJob",
}
_OTHERS: Final = ("CreateModel", "CreateEndpoint", "CreateEndpointConfig", "UpdateEndpoint")
_CODES: Final = {"ResourceInUse": "ResourceInUseException", "ResourceLimitExceeded": "ResourceLimitExceededException"}


class StateTaskServiceSageMaker(StateTaskServiceCallback):
    """`arn:aws:states:::sagemaker:createTrainingJob.sync` and its siblings."""

    def __init__(self) -> None:
        super().__init__(supported_integration_patterns=PATTERNS)

    @property
    def operation(self) -> str:
        """The API operation, such as CreateTrainingJob."""
        action = str(self.resource.api_action)
        return action[0].upper() + action[1:]

    def _get_supported_parameters(self) -> set[str] | None:
        if self.operation not in _JOBS and self.operation not in _OTHERS:
            return None
        return set(requests.members("sagemaker", self.operation))

    def _from_error(self, env: Any, ex: Exception) -> Any:
        if not isinstance(ex, ClientError):
            return super()._from_error(env=env, ex=ex)
        error: Any = ex.response.get("Error", {})
        name = f"SageMaker.{_CODES.get(error.get('Code'), 'AmazonSageMakerException')}"
        return self._failure(env, CustomErrorName(name), name, str(error.get("Message")))

    def _eval_service_task(
        self, env: Any, resource_runtime_part: Any, normalised_parameters: dict[str, Any], state_credentials: Any
    ) -> None:
        client = states_clients.client_for(resource_runtime_part.region, "sagemaker", state_credentials)
        answer = getattr(client, self._get_boto_service_action())(**normalised_parameters)
        answer.pop("ResponseMetadata", None)
        env.stack.append(answer)

    def _build_sync_resolver(
        self, env: Any, resource_runtime_part: Any, normalised_parameters: dict[str, Any], state_credentials: Any
    ) -> Callable[[], Any]:
        env.stack.pop()
        job = _JOBS[self.operation]
        client = states_clients.client_for(resource_runtime_part.region, "sagemaker", state_credentials)
        name = {f"{job}Name": normalised_parameters[f"{job}Name"]}
        snake = f"{job.removesuffix('Job').lower()}_job"
        describe = getattr(client, f"describe_{snake}")
        self.give_up = getattr(client, f"stop_{snake}")
        self.job_name = name

        def resolve() -> Any:
            answer = describe(**name)
            answer.pop("ResponseMetadata", None)
            status = answer[f"{job}Status"]
            if status in ("InProgress", "Stopping"):
                return None
            answer = plain(answer, milliseconds)
            if status == "Completed":
                return answer
            failed = StatesErrorNameType.StatesTaskFailed
            raise FailureEventException(
                self._failure(env, StatesErrorName(typ=failed), failed.to_name(), json.dumps(answer))
            )

        return resolve

    def _eval_sync(self, env: Any, *positional: Any, **named: Any) -> Any:
        outcome = super()._eval_sync(env, *positional, **named)
        if outcome is None and not env.is_running():
            self.give_up(**self.job_name)
        return outcome

    def _failure(self, env: Any, name: Any, error: str, cause: str) -> FailureEvent:
        failed = TaskFailedEventDetails(
            resource=self._get_sfn_resource(), resourceType=self._get_sfn_resource_type(), error=error, cause=cause
        )
        details: Any = {"taskFailedEventDetails": failed}
        return FailureEvent(
            env=env,
            error_name=name,
            event_type=HistoryEventType.TaskFailed,
            event_details=details,
        )


def install() -> None:
    """Give the interpreter our class for the service `sagemaker`."""
    factory = importlib.import_module(f"{_SERVICE}.state_task_service_factory")
    user = importlib.import_module("moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_factory")
    original = factory.state_task_service_for
    if getattr(original, "rehearsed", False):
        return

    def service_for(service_name: str) -> Any:
        return StateTaskServiceSageMaker() if service_name == "sagemaker" else original(service_name)

    service_for.rehearsed = True  # pyright: ignore[reportFunctionMemberAccess] - `install` may run twice
    for module in (factory, user):
        replace(module, state_task_service_for=service_for)
