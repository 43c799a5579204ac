import dataclasses

import pytest

from rehearsal.engine.checkpoint import deployment_of, in_order, resource_entry, resource_of
from rehearsal.engine.resource_state import ResourceState
from rehearsal.provider.wire import SECRET, SIGNATURE


def state(name: str, *dependencies: str) -> ResourceState:
    urns = tuple(f"urn:pulumi:s::p::t::{dependency}" for dependency in dependencies)
    return ResourceState(urn=f"urn:pulumi:s::p::t::{name}", type="t", custom=True, id=name, dependencies=urns)


FULL = dataclasses.replace(
    state("a", "b"),
    inputs={"password": "x", "tags": {}},
    outputs={"password": "x", "arn": "arn"},
    property_dependencies={"tags": ("urn:pulumi:s::p::t::b",)},
    provider="urn:pulumi:s::p::pulumi:providers:aws::aws::1",
    protect=True,
    retain_on_delete=True,
    deleted_with="urn:pulumi:s::p::t::c",
    pending_delete=True,
    external=True,
    secrets=("password",),
)


def test_an_entry_has_the_names_of_pulumis_own_and_gives_the_resource_back() -> None:
    entry = resource_entry(FULL)
    assert set(entry) == {
        "urn", "custom", "delete", "id", "type", "inputs", "outputs", "protect", "external", "dependencies",
        "provider", "propertyDependencies", "retainOnDelete", "deletedWith", "additionalSecretOutputs",
    }  # fmt: skip
    assert entry["inputs"]["password"] == {SIGNATURE: SECRET, "plaintext": '"x"'}
    assert resource_of(entry) == FULL


def test_what_is_empty_is_left_out() -> None:
    assert set(resource_entry(state("a"))) == {"urn", "custom", "id", "type"}


def test_each_resource_stands_after_what_it_needs() -> None:
    ordered = in_order([state("a", "c"), state("b"), state("c", "d"), state("d"), state("e", "e", "gone")])
    assert [resource.id for resource in ordered] == ["d", "c", "a", "b", "e"]


def test_resources_that_need_each_other_are_all_kept() -> None:
    assert {resource.id for resource in in_order([state("a", "b"), state("b", "a")])} == {"a", "b"}


def test_a_deployment_says_which_version_wrote_it() -> None:
    found = deployment_of([state("a")], "2026-01-01T00:00:00Z")
    assert found["manifest"]["version"].startswith("v3.")
    assert len(found["manifest"]["magic"]) == 64
    with pytest.raises(KeyError):
        resource_of({"urn": "u"})
