"""The one program with a stack per model: together the stacks declare what the one stack does, each only its part."""

import copy
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from delivery.stacks.state_moves import MODEL_ROOTS
from infra.platform import declare
from infra.platform_reference import read_exported

REFERENCE = "organization/drivetrain/dev"
_RUNS: dict[str, Any] = {}
"""A run of the program takes a second, and it declares the same each time."""


@pytest.fixture
def platform(run_program: Callable[..., Any], config: Callable[..., dict[str, str]]) -> Any:
    """The platform stack of dev."""
    if "dev" not in _RUNS:
        _RUNS["dev"] = run_program(declare, config("dev", scope="models"), "dev")
    return _RUNS["dev"]


@pytest.fixture
def model(run_program: Callable[..., Any], config: Callable[..., dict[str, str]], platform: Any) -> Any:
    """The stack of one model, which reads what the platform stack exports."""
    if "dev-auto-mpg" not in _RUNS:
        _RUNS["dev-auto-mpg"] = run_program(
            declare, config("dev", scope="models"), "dev-auto-mpg", {REFERENCE: platform.outputs}
        )
    return _RUNS["dev-auto-mpg"]


def aws(program: Any) -> dict[tuple[str, str], Any]:
    return {(each.type, each.name): each.inputs for each in program.resources if each.type.startswith("aws:")}


def test_the_stacks_together_declare_what_the_one_stack_does(
    declared: Callable[[str], Any], platform: Any, model: Any
) -> None:
    whole, first, second = aws(declared("dev")), aws(platform), aws(model)
    assert not first.keys() & second.keys()
    assert len(first) > 50
    assert len(second) > 40
    assert {**first, **second} == whole


def test_only_the_platform_stack_holds_what_models_share(platform: Any, model: Any) -> None:
    assert [each for each in platform.resources if each.type.startswith("drivetrain:model:")] == []
    shared = {"drivetrain:platform:Network", "drivetrain:platform:Lake", "drivetrain:platform:Catalog"}
    assert {each.type for each in model.resources} & shared == set()


def test_moving_knows_what_is_at_the_top_of_a_models_stack(declared: Callable[[str], Any], model: Any) -> None:
    """What `drivetrain scope` moves is what the program declares there, in either scope."""
    components = [each for each in model.resources if "pulumi:pulumi:Stack::" in each.parent and not each.custom]
    assert {each.type for each in components} == set(MODEL_ROOTS)
    assert {each.name for each in components} == {"auto-mpg"}
    roots = [each for each in declared("dev").resources if each.type in MODEL_ROOTS]
    assert sorted(each.type for each in roots) == sorted(MODEL_ROOTS)
    assert {each.name for each in roots} == {"auto-mpg"}


def test_each_stack_has_a_provider_with_the_environments_tags(platform: Any, model: Any) -> None:
    (one,), (other,) = platform.of("pulumi:providers:aws"), model.of("pulumi:providers:aws")
    assert one.inputs == other.inputs
    assert '"stack":"dev"' in one.inputs["defaultTags"].replace(" ", "")


def test_what_the_platform_exports_is_text_in_lists_and_objects(platform: Any) -> None:
    def leaves(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [leaf for each in value.values() for leaf in leaves(each)]
        return [leaf for each in value for leaf in leaves(each)] if isinstance(value, list) else [value]

    found = leaves(platform.outputs["platform"])
    assert len(found) > 30
    assert {type(each) for each in found} == {str}


def test_the_outputs_of_both_are_those_of_the_one_stack(
    declared: Callable[[str], Any], platform: Any, model: Any
) -> None:
    assert {**platform.outputs, **model.outputs} == declared("dev").outputs
    assert not platform.outputs.keys() & model.outputs.keys()


def without(platform: Any, *path: str) -> dict[str, Any]:
    outputs = copy.deepcopy(platform.outputs)
    inner = outputs
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return outputs


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (("platform",), "dev was applied by an older program"),
        (("platform", "workgroup"), "platform.*workgroup.*apply it first"),
        (("platform", "buckets", "capture"), "lacks buckets: capture"),
    ],
)
def test_a_platform_of_another_program_is_told(platform: Any, path: tuple[str, ...], said: str) -> None:
    with pytest.raises(pulumi.RunError, match=said):
        read_exported("dev", without(platform, *path), 2)


def test_more_zones_than_the_platform_has_are_told(platform: Any) -> None:
    assert len(read_exported("dev", platform.outputs, 2).network.subnet_ids) == 2
    with pytest.raises(pulumi.RunError, match="subnets in 3 availability zones"):
        read_exported("dev", platform.outputs, 3)


def test_a_platform_that_is_not_applied_yet_ends_the_program_with_a_message(
    run_program: Callable[..., Any], config: Callable[..., Any]
) -> None:
    with pytest.raises(pulumi.RunError, match=r"platform stack dev is not applied yet.*drivetrain deploy dev"):
        run_program(declare, config("dev", scope="models"), "dev-auto-mpg", {REFERENCE: {}})


@pytest.mark.parametrize(
    ("stack", "scope", "said"),
    [
        ("dev-auto-mpg", "stack", "drivetrain scope split dev"),
        ("dev-bikes", "models", "no model 'bikes'; models are: auto-mpg"),
        ("dev", "both", "scope"),
    ],
)
def test_what_does_not_go_together_is_told(
    run_program: Callable[..., Any], config: Callable[..., Any], stack: str, scope: str, said: str
) -> None:
    with pytest.raises(pulumi.RunError, match=said):
        run_program(declare, config("dev", scope=scope), stack)


def test_a_stack_without_settings_is_told_where_they_are(run_program: Callable[..., Any]) -> None:
    with pytest.raises(pulumi.RunError, match=r"--config-file Pulumi\.dev\.yaml"):
        run_program(declare, {}, "dev-auto-mpg")
