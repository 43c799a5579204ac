"""The settings of an account's bootstrap, taken from the files of the stacks that live in it.

So the repository is named once, in `Pulumi.<stack>.yaml`, and a stack that is added or removed there comes and goes
with the next `drivetrain bootstrap`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from infra.names import PULL_REQUESTS, Names
from infra.settings import GitHubSettings, Settings, SettingsError, environments, load_settings
from models.explain import explain
from models.schema import Section

PROJECT = "drivetrain-bootstrap"
"""The name of the Pulumi project in `bootstrap/`."""
SETTINGS_KEY = f"{PROJECT}:settings"
IdentityProvider = Literal["declared", "existing"]


class BootstrappedStack(Section):
    """One stack of the account, or `pr` for all stacks of pull requests."""

    stack: str
    protect: bool
    github: GitHubSettings | None = None
    """Whose workflows deploy it; without, whoever the account itself lets assume the roles."""


class BootstrapSettings(Section):
    """One account and region, and the stacks in it."""

    project: str
    account_id: Annotated[str, Field(pattern=r"^\d{12}$")]
    region: str
    stacks: list[BootstrappedStack]
    identity_provider: IdentityProvider = "declared"
    """`existing` where something else made the account's one provider for GitHub, which is then used as it is."""
    tags: dict[str, str] = Field(default_factory=dict)

    @property
    def name(self) -> str:
        """The bootstrap's own Pulumi stack: one per account and region."""
        return f"{self.account_id}-{self.region}"

    @property
    def protect(self) -> bool:
        """Whether state and keys are protected: as soon as one stack of the account is."""
        return any(each.protect for each in self.stacks)

    @property
    def has_github(self) -> bool:
        """Whether any stack is deployed by GitHub's workflows."""
        return any(each.github for each in self.stacks)

    def names(self, stack: str) -> Names:
        """The names of one of its stacks."""
        return Names(project=self.project, stack=stack, account_id=self.account_id, region=self.region)

    @property
    def default_tags(self) -> dict[str, str]:
        """The tags of all that the bootstrap makes; the stack is none of the platform's, so that none may change it."""
        return {"project": self.project, "stack": "bootstrap", "managed-by": "pulumi", **self.tags}


def parse_bootstrap(document: Mapping[str, Any]) -> BootstrapSettings:
    """The settings as `drivetrain bootstrap` wrote them. SettingsError names what is wrong."""
    try:
        return BootstrapSettings.model_validate(document)
    except ValidationError as error:
        raise SettingsError(explain(SETTINGS_KEY, error)) from error


def bootstrap_settings(project_dir: Path, asked: Settings) -> BootstrapSettings:
    """The settings of the account and region that the stack `asked` is in, from the files of all stacks there.

    `asked` goes before what its own file says.

    SettingsError for a file that is not right, and for names of which one begins like the other: their roles could
    then reach each other's resources.
    """
    others = [load_settings(project_dir, other) for other in environments(project_dir) if other != asked.stack]
    stacks_there = sorted([asked, *others], key=_name)
    beside = [each for each in stacks_there if _same_place(each, asked) and not _of_pull_request(each)]
    _refuse_overlap([each.stack for each in beside], asked)
    stacks = [BootstrappedStack(stack=each.stack, protect=each.protect, github=each.github) for each in beside]
    opened = next((each.github for each in beside if each.github and each.github.pull_request_stacks), None)
    if opened is not None:
        stacks.append(BootstrappedStack(stack=PULL_REQUESTS, protect=False, github=opened))
    return BootstrapSettings(
        project=asked.project,
        account_id=asked.account_id,
        region=asked.region,
        stacks=stacks,
        tags=asked.tags,
    )


def _name(settings: Settings) -> str:
    return settings.stack


def _same_place(one: Settings, other: Settings) -> bool:
    return (one.project, one.account_id, one.region) == (other.project, other.account_id, other.region)


def _of_pull_request(settings: Settings) -> bool:
    return settings.names.authority != settings.stack


def _refuse_overlap(stacks: list[str], asked: Settings) -> None:
    for one in stacks:
        for other in stacks:
            if re.match(rf"{one}-", other) or other == PULL_REQUESTS:
                clash = f"what {one!r} may change" if other != PULL_REQUESTS else "the stacks of pull requests"
                raise SettingsError(
                    f"Pulumi.{other}.yaml: the stack {other!r} of account {asked.account_id} is named like {clash}, "
                    f"whose role would reach it: give it a name that begins otherwise, or an account of its own"
                )
