"""Lake Formation's grants on the predictions, as the settings change whom they name."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from infra.sources import project_directory
from rehearsal.engine import up

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def held(stack: Any, role: str) -> dict[str, set[str]]:
    """What the role may do, to each kind of thing in the database of predictions."""
    database = stack.names.database("predictions")
    asked = {
        "Database": {"Database": {"Name": database}},
        "Table": {"Table": {"DatabaseName": database, "TableWildcard": {}}},
    }
    lakeformation, found = stack.client("lakeformation"), dict[str, set[str]]()
    for kind, resource in asked.items():
        answer = lakeformation.list_permissions(Principal={"DataLakePrincipalIdentifier": role}, Resource=resource)
        entries = answer["PrincipalResourcePermissions"]
        found[kind] = {permission for entry in entries for permission in entry["Permissions"]}
    return found


def apply(stack: Any, lake: Mapping[str, Sequence[str]]) -> None:
    override = {**stack.override, "lake": lake}
    up(project_directory(), stack.settings.stack, stack.state, stack.environment, override)


def test_a_role_whose_duties_change_has_the_grants_of_the_new_ones(stacks: Any) -> None:
    stack = stacks["local"]
    role = f"arn:aws:iam::{stack.settings.account_id}:role/team/analyst"
    reads = {"Database": {"DESCRIBE"}, "Table": {"DESCRIBE", "SELECT"}}
    both = {"Database": {"CREATE_TABLE", "DESCRIBE"}, "Table": {"ALTER", "DESCRIBE", "SELECT"}}
    try:
        apply(stack, {"prediction_readers": [role]})
        assert held(stack, role) == reads
        apply(stack, {"prediction_readers": [role], "prediction_writers": [role]})
        assert held(stack, role) == both
        apply(stack, {"prediction_readers": [role]})
        assert held(stack, role) == reads
    finally:
        stack.up()
    assert held(stack, role) == {"Database": set(), "Table": set()}
