"""Customer managed KMS keys: one for data, one for logs, one for messages, each with a policy for what it protects.

The account's own IAM policies decide which roles use a key (the root principal stands for the account, not for a
person); services that act for themselves are named one by one and bound to this account.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.iam import Conditions, Principals, Statement, policy_document, statement
from infra.platform_outputs import KeyOutputs
from infra.settings import Settings

_THE_KEY_ITSELF = "in a key policy '*' is the key that it belongs to"
_ADMINISTER = [
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RetireGrant",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
]
_USE = [
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
]
_PUBLISHERS = ("budgets.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com")


@dataclass(frozen=True, kw_only=True)
class KeysArgs:
    """The stack whose keys these are."""

    settings: Settings


class Keys(pulumi.ComponentResource):
    """The keys of a stack, with rotation and an alias each."""

    outputs: KeyOutputs

    def __init__(self, name: str, args: KeysArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:platform:Keys", name, None, opts)
        settings = args.settings
        self.outputs = KeyOutputs(
            data_arn=self._key(
                "data", "Data at rest: buckets, volumes, catalog, images", data_policy(settings), settings
            ),
            logs_arn=self._key("logs", "CloudWatch log groups", logs_policy(settings), settings),
            messages_arn=self._key("messages", "SNS topics and SQS queues", messages_policy(settings), settings),
        )
        self.register_outputs(
            {"data": self.outputs.data_arn, "logs": self.outputs.logs_arn, "messages": self.outputs.messages_arn}
        )

    def _key(self, purpose: str, description: str, policy: str, settings: Settings) -> pulumi.Output[str]:
        key = aws.kms.Key(
            purpose,
            description=f"{settings.names.prefix}: {description}",
            policy=policy,
            enable_key_rotation=True,
            rotation_period_in_days=365,
            # The longest time AWS gives to notice that something still needs the key, the shortest where nothing lasts.
            deletion_window_in_days=30 if settings.protect else 7,
            opts=pulumi.ResourceOptions(parent=self, protect=settings.protect),
        )
        aws.kms.Alias(
            purpose,
            name=f"alias/{settings.names.prefix}-{purpose}",
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=key),
        )
        return key.arn


def data_policy(settings: Settings) -> str:
    """Policy of the data key: roles of the account, the grants they hand to AWS services, and the delivery of logs.

    Step Functions hands its log over encrypted with the key of the state machine, for the delivery to decrypt.
    https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
    """
    account = _account(settings)
    logs = f"arn:aws:logs:{settings.region}:{settings.account_id}:*"
    return policy_document(
        *_administered(settings),
        _allow("UseByRoles", _USE, account),
        _allow("GrantToServices", ["kms:CreateGrant"], account, {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
        _allow(
            "DeliverLogs",
            ["kms:Decrypt"],
            {"Service": ["delivery.logs.amazonaws.com"]},
            {"StringEquals": {"kms:EncryptionContext:SourceArn": logs}},
        ),
    )


def logs_policy(settings: Settings) -> str:
    """Policy of the logs key: CloudWatch Logs, for log groups of this account and region."""
    groups = f"arn:aws:logs:{settings.region}:{settings.account_id}:log-group:*"
    return policy_document(
        *_administered(settings),
        _allow(
            "UseByLogs",
            _USE,
            {"Service": [f"logs.{settings.region}.amazonaws.com"]},
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        ),
    )


def messages_policy(settings: Settings) -> str:
    """Policy of the messages key: roles through SNS and SQS, and the services that publish alarms and events."""
    through = [f"sns.{settings.region}.amazonaws.com", f"sqs.{settings.region}.amazonaws.com"]
    return policy_document(
        *_administered(settings),
        _allow("UseThroughQueues", _USE, _account(settings), {"StringEquals": {"kms:ViaService": through}}),
        _allow(
            "Publish",
            ["kms:Decrypt", "kms:GenerateDataKey"],
            {"Service": _PUBLISHERS},
            {"StringEquals": {"aws:SourceAccount": settings.account_id}},
        ),
    )


def administered_by_account(account_id: str) -> str:
    """Policy of a key that the account's own IAM policies decide about, in everything."""
    account: Principals = {"AWS": [f"arn:aws:iam::{account_id}:root"]}
    uses = [*_USE, "kms:GetPublicKey", "kms:Sign", "kms:Verify"]
    return policy_document(_allow("Administer", _ADMINISTER, account), _allow("UseByRoles", uses, account))


def _administered(settings: Settings) -> list[Statement]:
    return [_allow("Administer", _ADMINISTER, _account(settings))]


def _account(settings: Settings) -> Principals:
    return {"AWS": [f"arn:aws:iam::{settings.account_id}:root"]}


def _allow(sid: str, actions: Sequence[str], principals: Principals, conditions: Conditions | None = None) -> Statement:
    return statement(sid, actions, ["*"], conditions, principals=principals, any_resource_because=_THE_KEY_ITSELF)
