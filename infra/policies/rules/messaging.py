"""Topics, queues, events, state machines and secrets."""

from typing import Any

from infra.policies.checks import (
    all_of,
    at_least,
    denies_plain_text,
    is_true,
    no_statement,
    one_of,
    present,
    some_statement,
)
from infra.policies.resources import Properties
from infra.policies.rule import REMOVED, Check, ResourceRule, Rule
from infra.policies.sources import aws_docs, ml_lens, security_hub

_TOPIC = ("aws:sns/topic:Topic",)
_TOPIC_POLICY = ("aws:sns/topicPolicy:TopicPolicy",)
_QUEUE = ("aws:sqs/queue:Queue",)
_QUEUE_POLICY = ("aws:sqs/queuePolicy:QueuePolicy",)
_TARGET = ("aws:cloudwatch/eventTarget:EventTarget",)
_BUS_POLICY = ("aws:cloudwatch/eventBusPolicy:EventBusPolicy",)
_MACHINE = ("aws:sfn/stateMachine:StateMachine",)
_SECRET = ("aws:secretsmanager/secret:Secret",)


def _policy(action: str, principal: Any = None, **conditions: Any) -> dict[str, Any]:
    allowed: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": principal or {"Service": "events.amazonaws.com"},
        "Action": action,
        "Resource": "*",
    }
    if conditions:
        allowed["Condition"] = conditions
    denied: dict[str, Any] = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"policy": {"Statement": [allowed, denied]}}


def _not_public(id_: str, what: str, types: tuple[str, ...], action: str, *sources: Any) -> Rule:
    return ResourceRule(
        id=id_,
        title=f"{what} allows nothing to everyone",
        sources=sources,
        severity="critical",
        types=types,
        check=no_statement(["policy"], lambda each: each.public, "allows everyone"),
        passing=_policy(action, "*", StringEquals={"aws:SourceAccount": "111111111111"}),
        broken_by=_policy(action, "*"),
    )


def _over_tls(id_: str, what: str, types: tuple[str, ...], action: str, page: str) -> Rule:
    return ResourceRule(
        id=id_,
        title=f"{what} denies what does not come over TLS",
        sources=(aws_docs("Encryption in transit", page),),
        severity="medium",
        types=types,
        check=some_statement("policy", denies_plain_text, "no statement denies requests without TLS"),
        passing=_policy(action),
        broken_by={"policy": {"Statement": _policy(action)["policy"]["Statement"][:1]}},
    )


def _encrypted_queue(properties: Properties) -> str | None:
    if properties.at("sqsManagedSseEnabled"):
        return None
    return present("kmsMasterKeyId")(properties)


def _machine(id_: str, title: str, severity: Any, check: Check, broken: dict[str, Any], *sources: Any) -> Rule:
    return ResourceRule(
        id=id_,
        title=title,
        sources=sources,
        severity=severity,
        types=_MACHINE,
        check=check,
        passing=_GOOD_MACHINE,
        broken_by=broken,
    )


_GOOD_MACHINE = {
    "loggingConfiguration": {"level": "ALL", "logDestination": "log:*"},
    "encryptionConfiguration": {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": "key"},
    "tracingConfiguration": {"enabled": True},
}

RULES: tuple[Rule, ...] = (
    ResourceRule(
        id="sns-encrypted",
        title="A topic is encrypted with a KMS key",
        sources=(security_hub("SNS.1"),),
        severity="medium",
        types=_TOPIC,
        check=present("kmsMasterKeyId"),
        passing={"kmsMasterKeyId": "key"},
        broken_by={"kmsMasterKeyId": REMOVED},
    ),
    _not_public("sns-policy-not-public", "A topic's policy", _TOPIC_POLICY, "sns:Publish", security_hub("SNS.4")),
    _over_tls(
        "sns-policy-tls",
        "A topic's policy",
        _TOPIC_POLICY,
        "sns:Publish",
        "sns/latest/dg/sns-security-best-practices.html",
    ),
    ResourceRule(
        id="sqs-encrypted",
        title="A queue is encrypted",
        sources=(security_hub("SQS.1"),),
        severity="medium",
        types=_QUEUE,
        check=_encrypted_queue,
        passing={"kmsMasterKeyId": "key"},
        broken_by={"kmsMasterKeyId": REMOVED},
    ),
    ResourceRule(
        id="sqs-dead-letters-kept",
        title="What could not be delivered is kept for two weeks",
        sources=(
            aws_docs(
                "Dead-letter queues", "AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html"
            ),
        ),
        severity="low",
        types=_QUEUE,
        check=lambda properties: (
            at_least("messageRetentionSeconds", 14 * 86400)(properties)
            if "dead-letter" in properties.resource.name
            else None
        ),
        passing={"kmsMasterKeyId": "key", "messageRetentionSeconds": 14 * 86400},
        broken_by={"messageRetentionSeconds": 3600},
    ),
    _not_public("sqs-policy-not-public", "A queue's policy", _QUEUE_POLICY, "sqs:SendMessage", security_hub("SQS.3")),
    _over_tls(
        "sqs-policy-tls",
        "A queue's policy",
        _QUEUE_POLICY,
        "sqs:SendMessage",
        "AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html",
    ),
    ResourceRule(
        id="events-dead-letters",
        title="An event that reaches no target is kept",
        sources=(aws_docs("Dead-letter queues of EventBridge", "eventbridge/latest/userguide/eb-rule-dlq.html"),),
        severity="medium",
        types=_TARGET,
        check=present("deadLetterConfig.arn"),
        passing={"rule": "new-data", "arn": "machine", "deadLetterConfig": {"arn": "queue"}},
        broken_by={"deadLetterConfig": REMOVED},
    ),
    _not_public(
        "events-bus-not-public", "An event bus", _BUS_POLICY, "events:PutEvents", security_hub("EventBridge.3")
    ),
    ResourceRule(
        id="events-destination-tls",
        title="An event leaves AWS encrypted only",
        sources=(aws_docs("API destinations", "eventbridge/latest/userguide/eb-api-destinations.html"),),
        severity="high",
        types=("aws:cloudwatch/eventApiDestination:EventApiDestination",),
        check=lambda properties: (
            None
            if str(properties.at("invocationEndpoint")).startswith("https://")
            else f"invocationEndpoint is {properties.at('invocationEndpoint')!r}; right is an https:// address"
        ),
        passing={"invocationEndpoint": "https://api.github.com/repos/example/models/dispatches", "httpMethod": "POST"},
        broken_by={"invocationEndpoint": "http://api.github.com/repos/example/models/dispatches"},
    ),
    _machine(
        "stepfunctions-logging",
        "A state machine logs what it does",
        "medium",
        all_of(
            one_of("loggingConfiguration.level", "ALL", "ERROR", "FATAL"),
            present("loggingConfiguration.logDestination"),
        ),
        {"loggingConfiguration": {"level": "OFF"}},
        security_hub("StepFunctions.1"),
    ),
    _machine(
        "stepfunctions-encrypted",
        "A state machine's data is encrypted with a key of one's own",
        "medium",
        one_of("encryptionConfiguration.type", "CUSTOMER_MANAGED_KMS_KEY"),
        {"encryptionConfiguration": {"type": "AWS_OWNED_KEY"}},
        aws_docs("Encryption at rest", "step-functions/latest/dg/encryption-at-rest.html"),
        ml_lens("MLSEC02-BP01"),
    ),
    _machine(
        "stepfunctions-traced",
        "An execution can be traced through the services that it calls",
        "low",
        is_true("tracingConfiguration.enabled"),
        {"tracingConfiguration": {"enabled": False}},
        aws_docs("X-Ray and Step Functions", "step-functions/latest/dg/concepts-xray-tracing.html"),
    ),
    ResourceRule(
        id="secretsmanager-encrypted",
        title="A secret is encrypted with a key of one's own",
        sources=(aws_docs("Secret encryption", "secretsmanager/latest/userguide/security-encryption.html"),),
        severity="medium",
        types=_SECRET,
        check=present("kmsKeyId"),
        passing={"kmsKeyId": "key", "recoveryWindowInDays": 30},
        broken_by={"kmsKeyId": REMOVED},
    ),
    ResourceRule(
        id="secretsmanager-recovery",
        title="A deleted secret can be had back for a week",
        sources=(aws_docs("Deleting a secret", "secretsmanager/latest/userguide/manage_delete-secret.html"),),
        severity="medium",
        types=_SECRET,
        check=lambda properties: (
            None
            if float(properties.at("recoveryWindowInDays") or 30) >= 7 and properties.at("recoveryWindowInDays") != 0
            else "recoveryWindowInDays is less than 7"
        ),
        passing={"kmsKeyId": "key", "recoveryWindowInDays": 30},
        broken_by={"recoveryWindowInDays": 0},
    ),
)
