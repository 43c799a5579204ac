"""The stacks of an environment, and the two scopes that settings and state must agree on."""

import pytest
import yaml

from delivery.stacks.scopes import refuse_other_scope, stacks_of, with_scope
from delivery.stacks.state_moves import divide
from infra.scope import ScopeError
from infra.settings import Settings, load_settings
from infra.sources import project_directory
from tests.delivery.states import MODELS, whole


def settings(scope: str) -> Settings:
    return load_settings(project_directory(), "dev").model_copy(update={"scope": scope})


def test_an_environment_is_one_stack_or_one_more_than_it_has_models() -> None:
    one, many = stacks_of(settings("stack"), MODELS), stacks_of(settings("models"), MODELS)
    assert (one.platform, one.models) == ("dev", {})
    assert (many.platform, many.models) == ("dev", {"auto-mpg": "dev-auto-mpg", "bikes": "dev-bikes"})


def test_a_state_of_the_other_scope_is_refused_with_the_way_there() -> None:
    together, apart = whole(), divide(whole(), "dev").platform
    with pytest.raises(ScopeError, match=r"still holds auto-mpg, bikes.*drivetrain scope split dev"):
        refuse_other_scope(settings("models"), together)
    with pytest.raises(ScopeError, match=r"in stacks of their own.*drivetrain scope join dev"):
        refuse_other_scope(settings("stack"), apart)
    refused = [(scope, state) for scope, state in (("stack", together), ("models", apart)) if _refused(scope, state)]
    assert refused == []
    empty = {"version": 3, "deployment": {}}
    assert not _refused("stack", empty)
    assert not _refused("models", empty)


def _refused(scope: str, state: dict[str, object]) -> bool:
    try:
        refuse_other_scope(settings(scope), state)
    except ScopeError:
        return True
    return False


FILE = """# What dev is.
config:
  drivetrain:settings:
    account_id: "222222222222" # ours
    region: eu-west-1
"""


def test_the_scope_is_one_line_of_the_settings_and_the_others_stay() -> None:
    apart = with_scope(FILE, "models", "Pulumi.dev.yaml")
    added = [line for line in apart.splitlines() if line not in FILE.splitlines()]
    assert added == ["    scope: models"]
    assert [line for line in FILE.splitlines() if line not in apart.splitlines()] == []
    assert with_scope(apart, "stack", "Pulumi.dev.yaml") == apart.replace("models", "stack")
    assert with_scope(apart, "models", "Pulumi.dev.yaml") == apart


@pytest.mark.parametrize("stack", ["local", "dev", "staging", "production"])
def test_it_can_be_written_into_every_settings_file(stack: str) -> None:
    text = (project_directory() / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")
    before = yaml.safe_load(text)["config"]["drivetrain:settings"]
    after = yaml.safe_load(with_scope(text, "models", stack))["config"]["drivetrain:settings"]
    assert after == {**before, "scope": "models"}


def test_a_file_written_otherwise_is_left_to_its_owner() -> None:
    with pytest.raises(ScopeError, match=r"Pulumi\.dev\.yaml: `scope: models` can be written there by hand only"):
        with_scope('config: {"drivetrain:settings": {region: eu-west-1}}\n', "models", "Pulumi.dev.yaml")
