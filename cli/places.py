"""What a stack's name stands for: its environment's settings, the AWS that holds it, and the models in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.connection import Connection, connect
from infra.scope import environment_of, model_stack, place_of
from infra.settings import environments, load_settings, stack_file
from infra.sources import project_directory
from models.release import Release, load_releases
from models.spec import ModelSpec, discover


@dataclass(frozen=True, kw_only=True)
class StackPlace:
    """One stack, connected."""

    stack: str
    environment: str
    connection: Connection
    specs: tuple[ModelSpec, ...]
    """The models whose endpoints this stack holds."""

    @property
    def config_file(self) -> Path:
        """The file that holds its settings."""
        return stack_file(self.connection.project_dir, self.environment)

    @property
    def endpoints(self) -> Mapping[str, str]:
        """The names of the endpoints by model, released or not."""
        return {spec.name: self.connection.names.endpoint(spec.name) for spec in self.specs}

    @property
    def releases(self) -> Mapping[str, Release]:
        """What should be live of this stack's models."""
        found = load_releases(self.connection.releases_file)
        return {spec.name: found[spec.name] for spec in self.specs if spec.name in found}

    @property
    def released(self) -> tuple[ModelSpec, ...]:
        """The models that are released, in their order."""
        releases = self.releases
        return tuple(spec for spec in self.specs if spec.name in releases)

    def stack_of(self, model: str) -> str:
        """The stack that holds one of these models."""
        scoped = self.stack == self.environment and self.connection.settings.scope == "models"
        return model_stack(self.environment, model) if scoped else self.stack


def find_place(stack: str, rehearsal: str, *, whole: bool = False) -> StackPlace:
    """The place of `stack`; with `whole`, an environment's stack stands for all its models wherever they are declared.

    SettingsError, ScopeError or NotConnectedError say what is wrong.
    """
    project_dir = project_directory()
    environment = environment_of(stack, environments(project_dir))
    settings = load_settings(project_dir, environment)
    specs = discover(project_dir / "models")
    place = place_of(stack, environment, settings.scope, [spec.name for spec in specs])
    if place.model is not None:
        specs = tuple(spec for spec in specs if spec.name == place.model)
    elif settings.scope == "models" and not whole:
        specs = ()
    connection = connect(environment, rehearsal)
    return StackPlace(stack=stack, environment=environment, connection=connection, specs=specs)
