"""Lake Formation: who is granted what, by name."""

from infra.policies.resources import Properties
from infra.policies.rule import ResourceRule, Rule
from infra.policies.sources import aws_docs, ml_lens

_LAKE_FORMATION = "lake-formation/latest/dg/initial-lf-config.html"
_GRANT = {"principal": "arn:aws:iam::111111111111:role/ingest", "permissions": ["DESCRIBE"]}


def _opens_by_default(properties: Properties) -> str | None:
    for key in ("createDatabaseDefaultPermissions", "createTableDefaultPermissions"):
        if any(each.get("principal") == "IAM_ALLOWED_PRINCIPALS" for each in properties.items(key)):
            return f"{key}: grants to IAM_ALLOWED_PRINCIPALS, so that Lake Formation decides nothing"
    return None


def _grants_everyone(properties: Properties) -> str | None:
    everyone = properties.at("principal") in ("IAM_ALLOWED_PRINCIPALS", "EVERYONE")
    return f"principal is {properties.at('principal')!r}" if everyone else None


def _hands_on(properties: Properties) -> str | None:
    handed = properties.items("permissionsWithGrantOptions")
    return f"permissionsWithGrantOptions are {', '.join(handed)}" if handed else None


RULES: tuple[Rule, ...] = (
    ResourceRule(
        id="lakeformation-closed-by-default",
        title="A new database or table is open to nobody",
        sources=(aws_docs("Changing the default settings", _LAKE_FORMATION), ml_lens("MLSEC03-BP01")),
        severity="high",
        types=("aws:lakeformation/dataLakeSettings:DataLakeSettings",),
        check=_opens_by_default,
        passing={"admins": ["arn:aws:iam::111111111111:role/deploy"]},
        broken_by={
            "createTableDefaultPermissions": [{"principal": "IAM_ALLOWED_PRINCIPALS", "permissions": ["ALL"]}],
        },
    ),
    ResourceRule(
        id="lakeformation-grants-named",
        title="The lake is granted to roles by name",
        sources=(aws_docs("Changing the default settings", _LAKE_FORMATION), ml_lens("MLSEC03-BP01")),
        severity="high",
        types=("aws:lakeformation/permissions:Permissions",),
        check=_grants_everyone,
        passing=_GRANT,
        broken_by={"principal": "IAM_ALLOWED_PRINCIPALS"},
    ),
    ResourceRule(
        id="lakeformation-grants-end",
        title="Who is granted something cannot hand it on",
        sources=(ml_lens("MLSEC03-BP01"),),
        severity="medium",
        types=("aws:lakeformation/permissions:Permissions",),
        check=_hands_on,
        passing=_GRANT,
        broken_by={"permissionsWithGrantOptions": ["SELECT"]},
    ),
)
