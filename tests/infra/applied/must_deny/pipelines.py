"""What the roles of the state machine and of the events that start it may not do."""

from collections.abc import Callable
from typing import Any, Final

from tests.infra.applied.must_deny.calls import GET, MODEL, PUT, Place, artifacts, get_object, lake, landing, put_object


def train(**changes: Callable[[Place], Any]) -> Callable[[Any, Place], Any]:
    return lambda sagemaker, place: sagemaker.create_training_job(
        **{
            name: value
            for name, value in place.training_job(**{each: change(place) for each, change in changes.items()}).items()
            if value is not None
        }
    )


def unencrypted(place: Place) -> dict[str, Any]:
    resources = dict(place.training_job()["ResourceConfig"])
    del resources["VolumeKmsKeyId"]
    return resources


CREATE: Final = "sagemaker:CreateTrainingJob"
PIPELINE: Final[dict[str, tuple[Any, ...]]] = {
    "train in the stack's network": ("sagemaker", train()),
    "announce an event as the stack": (
        "events",
        lambda events, place: events.put_events(
            Entries=[{"Source": place.names.event_source, "DetailType": "Test", "Detail": "{}"}]
        ),
    ),
    "train outside the VPC": ("sagemaker", train(VpcConfig=lambda _: None), CREATE),
    "train in another network": (
        "sagemaker",
        train(VpcConfig=lambda place: {"Subnets": ["subnet-1"], "SecurityGroupIds": [place.security_group]}),
        CREATE,
    ),
    "train with the network open": ("sagemaker", train(EnableNetworkIsolation=lambda _: False), CREATE),
    "train on volumes without the key": ("sagemaker", train(ResourceConfig=unencrypted), CREATE),
    "leave an artefact without the key": (
        "sagemaker",
        train(OutputDataConfig=lambda _: {"S3OutputPath": "s3://nowhere/models"}),
        CREATE,
    ),
    "train under another environment's name": (
        "sagemaker",
        train(TrainingJobName=lambda place: f"{place.other.prefix}-x"),
        CREATE,
    ),
    "hand the endpoint's role to a job": (
        "sagemaker",
        train(RoleArn=lambda place: place.names.role_arn(f"{MODEL}-endpoint")),
        "iam:PassRole",
    ),
    "approve a package": (
        "sagemaker",
        lambda sagemaker, place: sagemaker.update_model_package(
            ModelPackageArn=place.arn("sagemaker", f"model-package/{place.names.package_group(MODEL)}/1"),
            ModelApprovalStatus="Approved",
        ),
        "sagemaker:UpdateModelPackage",
    ),
    "write an artefact": ("s3", put_object(artifacts, f"models/{MODEL}/a"), PUT),
    "read the lake": ("s3", get_object(lake, f"exports/{MODEL}/a.parquet"), GET),
    "speak for another environment": (
        "events",
        lambda events, place: events.put_events(
            Entries=[{"Source": place.other.event_source, "DetailType": "Test", "Detail": "{}"}]
        ),
        "events:PutEvents",
    ),
    "change itself": (
        "stepfunctions",
        lambda states, place: states.update_state_machine(
            stateMachineArn=place.names.state_machine_arn(MODEL), definition="{}"
        ),
        "states:UpdateStateMachine",
    ),
    "run another Glue job": (
        "glue",
        lambda glue, _: glue.start_job_run(JobName="another"),
        "glue:StartJobRun",
    ),
}
EVENTS: Final[dict[str, tuple[Any, ...]]] = {
    "start its pipeline": (
        "stepfunctions",
        lambda states, place: states.start_execution(
            stateMachineArn=place.names.state_machine_arn(MODEL), input="not JSON"
        ),
        None,
        "Expecting value: line 1",
    ),
    "start another pipeline": (
        "stepfunctions",
        lambda states, place: states.start_execution(stateMachineArn=place.names.state_machine_arn("other")),
        "states:StartExecution",
    ),
    "stop an execution": (
        "stepfunctions",
        lambda states, place: states.stop_execution(
            executionArn=place.arn("states", f"execution:{place.names.state_machine(MODEL)}:x")
        ),
        "states:StopExecution",
    ),
    "read what landed": ("s3", get_object(landing, f"{MODEL}/a.csv"), GET),
}
