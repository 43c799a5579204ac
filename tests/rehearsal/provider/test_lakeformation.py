"""A grant is on what it names, is read back from there, and can be on nothing that the rehearsal would lose."""

from collections.abc import Callable
from typing import Any

import pytest

from rehearsal.provider.aws_clients import EnvironmentClients
from rehearsal.provider.lifecycle import AwsRefusedError
from rehearsal.provider.registry import handler_of

TOKEN = "aws:lakeformation/permissions:Permissions"
READER = "arn:aws:iam::123456789012:role/reader"
Make = Callable[..., tuple[str, dict[str, Any]]]


@pytest.mark.parametrize(
    ("on", "resource"),
    [
        ({"database": {"name": "raw"}}, {"Database": {"Name": "raw"}}),
        ({"table": {"databaseName": "raw", "name": "cars"}}, {"Table": {"DatabaseName": "raw", "Name": "cars"}}),
        (
            {"table": {"databaseName": "raw", "wildcard": True}},
            {"Table": {"DatabaseName": "raw", "TableWildcard": {}}},
        ),
    ],
    ids=["database", "table", "every table"],
)
def test_a_grant_is_on_what_it_names(
    aws: EnvironmentClients, made: Make, on: dict[str, Any], resource: dict[str, Any]
) -> None:
    inputs = {"principal": READER, "permissions": ["DESCRIBE"], **on}
    made_id, state = made(TOKEN, inputs)
    formation: Any = aws.client("lakeformation")
    (held,) = formation.list_permissions(Resource=resource)["PrincipalResourcePermissions"]
    assert (held["Principal"], held["Permissions"]) == ({"DataLakePrincipalIdentifier": READER}, ["DESCRIBE"])
    read = handler_of(TOKEN).read(aws, made_id, state)
    assert read is not None
    assert {name: read[name] for name in inputs} == inputs


def test_a_grant_on_anything_else_is_refused(aws: EnvironmentClients, made: Make) -> None:
    place = {"dataLocation": {"arn": "arn:aws:s3:::lake/warehouse"}}
    with pytest.raises(AwsRefusedError, match="on a `database` or a `table`"):
        made(TOKEN, {"principal": READER, "permissions": ["DATA_LOCATION_ACCESS"], **place})
