"""Which environment and which model a stack's name stands for."""

from pathlib import Path

import pytest

from infra.scope import Place, ScopeError, environment_of, model_stack, place_of
from infra.settings import environments


@pytest.mark.parametrize(
    ("stack", "environment"),
    [
        ("dev", "dev"),
        ("dev-auto-mpg", "dev"),
        ("dev-eu", "dev-eu"),
        ("dev-eu-auto-mpg", "dev-eu"),
        ("developers", "developers"),
        ("pr-7", "pr-7"),
    ],
)
def test_the_environment_is_the_longest_one_that_the_name_begins_with(stack: str, environment: str) -> None:
    assert environment_of(stack, ["dev", "dev-eu", "production"]) == environment


def test_a_stack_is_the_environments_or_one_models() -> None:
    assert place_of("dev", "dev", "stack", ["auto-mpg"]) == Place(environment="dev")
    assert place_of("dev", "dev", "models", ["auto-mpg"]) == Place(environment="dev")
    stack = model_stack("dev", "auto-mpg")
    assert place_of(stack, "dev", "models", ["auto-mpg"]) == Place(environment="dev", model="auto-mpg")


@pytest.mark.parametrize(
    ("stack", "scope", "said"),
    [
        ("dev-bikes", "models", "no model 'bikes'; models are: auto-mpg.*pulumi destroy --stack dev-bikes"),
        ("dev-auto-mpg", "stack", "everything in one stack.*drivetrain scope split dev"),
    ],
)
def test_what_does_not_go_together_is_told(stack: str, scope: str, said: str) -> None:
    with pytest.raises(ScopeError, match=said):
        place_of(stack, "dev", scope, ["auto-mpg"])  # pyright: ignore[reportArgumentType]


def test_a_file_without_settings_is_no_environment(tmp_path: Path) -> None:
    """`pulumi stack init` leaves one for a model's stack, with the key of its secrets."""
    (tmp_path / "Pulumi.yaml").write_text("name: drivetrain\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config:\n  drivetrain:settings:\n    region: eu-west-1\n")
    (tmp_path / "Pulumi.dev-auto-mpg.yaml").write_text("secretsprovider: awskms://alias/state\n")
    assert environments(tmp_path) == ["dev"]
