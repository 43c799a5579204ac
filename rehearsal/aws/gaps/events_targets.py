"""EventBridge reaches its targets: Step Functions, input transformers as AWS renders them, dead-letter queues.

In moto a Step Functions target makes PutEvents fail, and an event of S3 reaches targets without its input transformer.
"""

import copy
import datetime
import json
import uuid
from typing import Any, Final, cast

from moto.events.models import Rule, events_backends
from moto.events.utils import EventMessageType
from moto.s3 import notifications
from moto.sqs.models import sqs_backends
from moto.stepfunctions.responses import get_backend

from rehearsal.aws import accounts
from rehearsal.aws.authorization import calls, principals
from rehearsal.aws.authorization.decision import AccessDeniedError
from rehearsal.aws.event_templates import transformed
from rehearsal.aws.gaps import events_connections, replace
from rehearsal.aws.jobs.requests import section

NOTES: Final = (
    "EventBridge delivers at once and tries once: what cannot be delivered goes to the dead-letter queue without the "
    "retries of AWS. Schedules are stored and never fire. Lambda and other targets than Step Functions, API "
    "destinations, SQS, log groups and event buses are not called.",
)
_MOTO_DELIVERS: Final = ("logs", "events", "sqs")
_DESTINATION: Final = "api-destination"
_INVOKED_BY: Final = {"states": "states:StartExecution", _DESTINATION: "events:InvokeApiDestination"}
_send = Rule.send_to_targets
_detail_type = cast("Any", notifications)._detail_type


class UndeliverableError(Exception):
    """An event that a target does not take: the error code and message of the dead-letter message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def install() -> None:
    """Take over delivery, and the form of S3's events."""
    replace(Rule, send_to_targets=send_to_targets)
    replace(notifications, _send_event_bridge_message=send_object_event)


def send_to_targets(self: Rule, original_event: EventMessageType, transform_input: bool = True) -> None:  # noqa: FBT001, FBT002 - moto's signature
    """Deliver an event to every target of a rule that matches it; what fails goes to the target's dead-letter queue."""
    if self.state != "ENABLED" or not self.event_pattern.get_pattern():
        return  # a rule with a schedule only; to moto the absence of a pattern matches everything
    if not self.event_pattern.matches_event(original_event):
        return
    event = cast("dict[str, Any]", dict(original_event))
    for target in self.targets:
        service = _service(str(target["Arn"]))
        if service in _MOTO_DELIVERS:
            _through_moto(self, target, original_event, transform_input)
            continue
        try:
            _deliver(self, target, event, service)
        except UndeliverableError as problem:
            _to_dead_letters(self, target, event, problem)


def send_object_event(account_id: str, bucket: Any, event_name: str, key: Any) -> None:
    """Put S3's own event on the default bus of the bucket's account and region."""
    event: dict[str, Any] = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": _detail_type(event_name),
        "source": "aws.s3",
        "account": account_id,
        "time": datetime.datetime.now(tz=datetime.UTC).timestamp(),
        "region": bucket.region_name,
        "resources": [bucket.arn],
        "ingestion-time": datetime.datetime.now(tz=datetime.UTC).timestamp(),
        "detail": {
            "version": "0",
            "bucket": {"name": bucket.name},
            "object": {
                "key": key.name,
                "size": key.size,
                "etag": key.etag.replace('"', ""),
                "version-id": key.version_id,
                "sequencer": f"{uuid.uuid4().int >> 64:016X}",
            },
            "request-id": uuid.uuid4().hex[:16].upper(),
            "requester": account_id,
            "source-ip-address": "127.0.0.1",
            "reason": _reason(str(event_name)),
        },
    }
    bus = events_backends[account_id][bucket.region_name].event_buses["default"]
    for rule in list(bus.rules.values()):
        rule.send_to_targets(cast("EventMessageType", event))


def _reason(event_name: str) -> str:
    name = event_name.rpartition(":")[2]
    return {"Put": "PutObject", "Post": "POST Object", "Copy": "CopyObject", "Delete": "DeleteObject"}.get(name, name)


def _through_moto(rule: Rule, target: dict[str, Any], event: EventMessageType, transform_input: bool) -> None:  # noqa: FBT001 - moto's own
    only = copy.copy(rule)
    only.targets = [target]
    _send(only, event, transform_input)


def _service(arn: str) -> str:
    _, _, service, _, _, resource, *_ = arn.split(":")
    return _DESTINATION if resource.startswith(f"{_DESTINATION}/") else service


def _deliver(rule: Rule, target: dict[str, Any], event: dict[str, Any], service: str) -> None:
    _, _, _, region, account_id, *_ = str(target["Arn"]).split(":", 6)
    if service not in _INVOKED_BY:
        raise UndeliverableError("UNSUPPORTED_TARGET", f"the rehearsal cannot deliver to {target['Arn']}")
    role = target.get("RoleArn")
    try:
        if not role:
            raise UndeliverableError("NO_PERMISSIONS", f"target {target['Id']} has no RoleArn to be called with")
        accounts.trust(str(role), "events.amazonaws.com", region=rule.region_name, source_arn=rule.arn)
        starting = principals.of_role(str(role), "events")
        calls.require(starting, _INVOKED_BY[service], str(target["Arn"]), region=rule.region_name)
        text = transformed(target, event)
        if service == _DESTINATION:
            events_connections.call(str(target["Arn"]), text)
            return
        backend = get_backend(account_id, region)
        backend.start_execution(str(target["Arn"]), f"{event['id']}_{uuid.uuid4()}", text)
    except (accounts.UnknownRoleError, AccessDeniedError) as error:
        raise UndeliverableError("NO_PERMISSIONS", str(error)) from error
    except events_connections.NotDeliveredError as error:
        raise UndeliverableError(error.code, str(error)) from error
    except UndeliverableError:
        raise
    except Exception as error:
        raise UndeliverableError("RESOURCE_NOT_FOUND", f"{type(error).__name__}: {error}") from error


def _to_dead_letters(rule: Rule, target: dict[str, Any], event: dict[str, Any], problem: UndeliverableError) -> None:
    queue = section(target, "DeadLetterConfig").get("Arn")
    if queue is None:
        return
    _, _, _, region, account_id, name = str(queue).split(":", 5)
    told = {
        "ERROR_CODE": problem.code,
        "ERROR_MESSAGE": str(problem),
        "RULE_ARN": rule.arn,
        "TARGET_ARN": str(target["Arn"]),
    }
    sqs_backends[account_id][region].send_message(
        queue_name=name,
        message_body=json.dumps(event),
        message_attributes={key: {"DataType": "String", "StringValue": value} for key, value in told.items()},
    )
