"""Keys: rotated, slow to delete, and used by whom their policy names."""

from infra.policies.checks import at_least, is_true, no_statement, not_one_of, one_of, when
from infra.policies.documents import Statement
from infra.policies.resources import Properties, Resource, Stack
from infra.policies.rule import ResourceRule, Rule, StackRule
from infra.policies.rules.iam import POLICY_TYPES, allowing
from infra.policies.sources import aws_docs, cis, ml_lens, security_hub

_KEY = ("aws:kms/key:Key",)
_ACCOUNT = {"AWS": "arn:aws:iam::111111111111:root"}
_ADMINISTER = {
    "Sid": "Administer",
    "Effect": "Allow",
    "Principal": _ACCOUNT,
    "Action": ["kms:DescribeKey", "kms:PutKeyPolicy"],
    "Resource": "*",
}
_GOOD = {
    "enableKeyRotation": True,
    "rotationPeriodInDays": 365,
    "deletionWindowInDays": 30,
    "policy": {"Version": "2012-10-17", "Statement": [_ADMINISTER]},
}
_DECRYPTS = frozenset({"kms:*", "kms:decrypt", "kms:reencryptfrom", "kms:decrypt*", "kms:reencrypt*", "*"})


def _symmetric(properties: Properties) -> bool:
    """Only keys that encrypt symmetrically rotate by themselves."""
    return properties.at("customerMasterKeySpec") in (None, "SYMMETRIC_DEFAULT")


def _decrypts_anything(statement: Statement) -> bool:
    anything = any(each == "*" or each.endswith((":key/*", ":kms:*")) for each in statement.resources)
    # A tag or an alias names the keys as well, where their ids are not known to whoever writes the policy.
    named = any(
        key.startswith("aws:resourcetag/") or key == "kms:resourcealiases" for _, key, _ in statement.conditions
    )
    return statement.allows and anything and not named and any(each in _DECRYPTS for each in statement.actions)


def _without_source(statement: Statement) -> bool:
    """A service acts for any account that it serves, unless a condition names this one."""
    services = [each for each in statement.principals if each.startswith("Service:")]
    keys = {key for _, key, _ in statement.conditions}
    bound = {"aws:sourceaccount", "aws:sourcearn", "kms:calleraccount", "kms:viaservice"} & keys
    return statement.allows and bool(services) and not bound and not any("encryptioncontext" in key for key in keys)


def _has_alias(key: Resource, stack: Stack) -> str | None:
    aliases = stack.of("aws:kms/alias:Alias")
    return None if any(each.name == key.name for each in aliases) else "no Alias of the key's name is declared"


def _administered(*statements: object) -> dict[str, object]:
    return {"policy": {"Version": "2012-10-17", "Statement": [_ADMINISTER, *statements]}}


RULES: tuple[Rule, ...] = (
    ResourceRule(
        id="kms-rotation",
        title="A symmetric key rotates by itself",
        sources=(security_hub("KMS.4"), cis("3.6", "3.6")),
        severity="medium",
        types=_KEY,
        check=when(_symmetric, is_true("enableKeyRotation")),
        passing=_GOOD,
        broken_by={"enableKeyRotation": False},
    ),
    ResourceRule(
        id="kms-deletion-window",
        title="A key that is scheduled for deletion can be kept for 30 days yet",
        sources=(security_hub("KMS.3"), ml_lens("MLSEC03-BP02")),
        severity="high",
        types=_KEY,
        check=at_least("deletionWindowInDays", 30),
        passing=_GOOD,
        broken_by={"deletionWindowInDays": 7},
    ),
    ResourceRule(
        id="kms-policy-not-public",
        title="A key's policy allows nothing to everyone",
        sources=(security_hub("KMS.5"),),
        severity="critical",
        types=_KEY,
        check=no_statement(["policy"], lambda each: each.public, "allows everyone"),
        passing=_GOOD,
        broken_by=_administered({"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}),
    ),
    ResourceRule(
        id="kms-policy-named-actions",
        title="A key's policy names the actions that it allows",
        sources=(
            aws_docs("Key policies: least privilege", "kms/latest/developerguide/least-privilege.html"),
            ml_lens("MLSEC03-BP01"),
        ),
        severity="medium",
        types=_KEY,
        check=no_statement(["policy"], lambda each: each.allows and "kms:*" in each.actions, "allows kms:*"),
        passing=_GOOD,
        broken_by=_administered({"Effect": "Allow", "Principal": _ACCOUNT, "Action": "kms:*", "Resource": "*"}),
    ),
    ResourceRule(
        id="kms-policy-services-bound",
        title="A service uses a key for this account only",
        sources=(aws_docs("The confused deputy problem", "IAM/latest/UserGuide/confused-deputy.html"),),
        severity="medium",
        types=_KEY,
        check=no_statement(["policy"], _without_source, "lets a service act for any account"),
        passing=_GOOD,
        broken_by=_administered(
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "kms:Decrypt",
                "Resource": "*",
            }
        ),
    ),
    ResourceRule(
        id="kms-lockout-check",
        title="KMS keeps refusing a policy that would lock everyone out",
        sources=(aws_docs("Default key policy", "kms/latest/developerguide/key-policy-default.html"),),
        severity="high",
        types=_KEY,
        check=not_one_of("bypassPolicyLockoutSafetyCheck", True),
        passing=_GOOD,
        broken_by={"bypassPolicyLockoutSafetyCheck": True},
    ),
    ResourceRule(
        id="kms-enabled",
        title="A declared key is in use",
        sources=(ml_lens("MLSEC02-BP01"),),
        severity="medium",
        types=_KEY,
        check=one_of("isEnabled", None, True),
        passing=_GOOD,
        broken_by={"isEnabled": False},
    ),
    ResourceRule(
        id="kms-decrypt-named-keys",
        title="A role decrypts with keys that its policy names",
        sources=(security_hub("KMS.1"), security_hub("KMS.2")),
        severity="medium",
        types=POLICY_TYPES,
        check=no_statement(["policy"], _decrypts_anything, "decrypts with any key"),
        passing=allowing("kms:Decrypt", "arn:aws:kms:eu-west-1:111111111111:key/1"),
        broken_by=allowing("kms:Decrypt", "arn:aws:kms:*:111111111111:key/*"),
    ),
    StackRule(
        id="kms-alias",
        title="Every key has an alias of its name, by which people find it",
        sources=(aws_docs("KMS aliases", "kms/latest/developerguide/kms-alias.html"),),
        severity="low",
        types=_KEY,
        relation=_has_alias,
        passing=(Resource(type=_KEY[0], name="data"), Resource(type="aws:kms/alias:Alias", name="data")),
        failing=(Resource(type=_KEY[0], name="data"), Resource(type="aws:kms/alias:Alias", name="logs")),
    ),
)
