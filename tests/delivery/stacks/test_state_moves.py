"""Models taken out of one state and put back, by the functions that `drivetrain scope` is made of."""

import copy
from typing import Any

import pytest

from delivery.pulumi.checkpoint import StateError, emptied, resource_ids, resources, stack_outputs
from delivery.stacks.state_moves import divide, is_platform_alone, models_in, unite
from tests.delivery.states import MODELS, named_in, urn, whole


def in_its_own_order(document: dict[str, Any]) -> bool:
    """As Pulumi's integrity check asks: whatever a resource names is in the same state, before it."""
    seen: set[str] = set()
    for entry in resources(document):
        needed = named_in({"deployment": {"resources": [entry]}}) - {entry["urn"]}
        if needed - seen:
            return False
        seen.add(entry["urn"])
    return True


def test_every_resource_is_in_one_of_the_states_with_its_id() -> None:
    before = whole()
    division = divide(before, "dev")
    states = [division.platform, *division.models.values()]
    assert set(division.models) == set(MODELS)
    ids = [resource_ids(state) for state in states]
    assert sum(map(len, ids)) == len(resource_ids(before)) == 9
    assert {key: value for each in ids for key, value in each.items()} == resource_ids(before)
    assert before == whole()  # and what was given is as it was


def test_each_state_names_only_what_is_in_it() -> None:
    division = divide(whole(), "dev")
    for stack, state in (
        ("dev", division.platform),
        *((f"dev-{name}", found) for name, found in division.models.items()),
    ):
        assert in_its_own_order(state), stack
        assert {each.split(":")[2] for each in named_in(state)} == {stack}


def test_a_models_state_has_a_stack_and_a_provider_of_its_own() -> None:
    state = divide(whole(), "dev").models["bikes"]
    stack, provider, *rest = resources(state)
    assert stack["urn"] == urn("dev-bikes", "pulumi:pulumi:Stack", "drivetrain-dev-bikes")
    machines = {"bikes": "arn:bikes"}
    assert stack["outputs"] == {"state_machines": machines, "endpoints": {}, "images": {"training": "uri"}}
    assert (provider["type"], provider["id"], provider["parent"]) == ("pulumi:providers:aws", "a-uuid", stack["urn"])
    assert {each["provider"] for each in rest if each["custom"]} == {f"{provider['urn']}::a-uuid"}
    assert state["deployment"]["secrets_providers"] == whole()["deployment"]["secrets_providers"]


def test_what_is_said_of_a_resource_stays_but_for_what_it_is_called() -> None:
    state = divide(whole(), "dev").models["bikes"]
    (grant,) = [each for each in resources(state) if each["type"].startswith("aws:lakeformation")]
    (role,) = [each for each in resources(state) if each["type"].startswith("aws:iam")]
    assert grant["protect"] is True
    assert grant["deletedWith"] == role["urn"]
    assert grant["dependencies"] == [role["urn"]]
    assert "dependencies" not in role
    assert role["propertyDependencies"] == {"database": [], "name": []}
    assert role["inputs"] == {"name": "bikes-train", "empty": ""}


def test_the_queries_of_a_table_go_with_its_model() -> None:
    division = divide(whole(), "dev")
    (query,) = [each for each in resources(division.models["auto-mpg"]) if "namedQuery" in each["type"]]
    model = urn("dev-auto-mpg", "drivetrain:model:Model", "auto-mpg")
    chain = "drivetrain:model:Model$aws:athena/namedQuery:NamedQuery"
    assert (query["urn"], query["parent"]) == (urn("dev-auto-mpg", chain, "auto_mpg-refused"), model)
    assert [each for each in resources(division.platform) if "namedQuery" in each["type"]] == []


def test_the_platform_keeps_its_outputs_and_says_that_it_is_alone() -> None:
    division = divide(whole(), "dev")
    assert stack_outputs(division.platform).keys() == {"buckets", "platform"}
    assert is_platform_alone(division.platform)
    assert not is_platform_alone(whole())
    assert (models_in(division.platform), models_in(whole())) == ([], list(MODELS))


def by_urn(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The resources without the dependencies that a move drops."""
    kept = copy.deepcopy(resources(document))
    for entry in kept:
        entry.pop("dependencies", None)
        entry.pop("propertyDependencies", None)
    return {entry["urn"]: entry for entry in kept}


def test_back_again_everything_is_called_what_it_was() -> None:
    division = divide(whole(), "dev")
    united = unite(division.platform, "dev", division.models)
    assert by_urn(united) == by_urn(whole())
    assert in_its_own_order(united)
    again = unite(united, "dev", division.models)  # as after a join that was cut short
    assert by_urn(again) == by_urn(united)


def test_a_stack_that_began_apart_takes_the_provider_of_the_environment() -> None:
    division = divide(whole(), "dev")
    state = division.models["bikes"]
    reference = {
        "urn": urn("dev-bikes", "pulumi:pulumi:StackReference", "dev"),
        "custom": True,
        "external": True,
        "type": "pulumi:pulumi:StackReference",
        "id": "organization/drivetrain/dev",
    }
    for entry in resources(state):
        if entry["type"] == "pulumi:providers:aws":
            entry["id"] = "another-uuid"
        if entry.get("provider"):
            entry["provider"] = entry["provider"].replace("a-uuid", "another-uuid")
            entry["dependencies"] = [reference["urn"], *entry.get("dependencies", [])]
    state["deployment"]["resources"].insert(2, reference)
    united = unite(division.platform, "dev", {"bikes": state})
    assert in_its_own_order(united)
    assert {each["provider"].rpartition("::")[2] for each in resources(united) if each.get("provider")} == {"a-uuid"}
    assert not [each for each in resources(united) if each["type"] == "pulumi:pulumi:StackReference"]


def test_an_emptied_state_keeps_the_key_of_its_secrets() -> None:
    state = emptied(whole())
    assert resources(state) == []
    assert state["deployment"]["secrets_providers"]["type"] == "cloud"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 4}, "version 4, known here is 3"),
        ({"pending_operations": [{"type": "creating"}]}, "1 interrupted operations.*pulumi refresh"),
        ({"delete": True}, "replacement to finish: .*aws:iam"),
    ],
)
def test_a_state_in_the_middle_of_something_is_refused(change: dict[str, Any], said: str) -> None:
    document = whole()
    if "version" in change:
        document |= change
    elif "delete" in change:
        next(each for each in resources(document) if each["type"].startswith("aws:iam")).update(change)
    else:
        document["deployment"] |= change
    with pytest.raises(StateError, match=said):
        divide(document, "dev")
