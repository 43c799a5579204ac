"""The settings of a stack: the `drivetrain:settings` object of `Pulumi.<stack>.yaml`, parsed before all else.

Nothing here imports Pulumi, so that the command line reads the same file the same way.
"""

import difflib
import ipaddress
import zoneinfo
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from infra.names import Names
from infra.scope import Scope
from models.explain import explain
from models.schema import Section

SETTINGS_KEY = "drivetrain:settings"
_REGION = r"^(af|ap|ca|eu|il|me|mx|sa|us)-((north|south)?(east|west)|north|south|central)-[1-9]$"
# No `*` or `?` among the characters that GitHub allows: in a trust policy they would match other repositories.
REPOSITORY = r"^[A-Za-z0-9](-?[A-Za-z0-9]){0,38}/[A-Za-z0-9._-]{1,100}$"
_RESERVED_TAGS = {"project", "stack", "managed-by"}


class SettingsError(Exception):
    """A stack's settings are not right; the message names file and key, and says what would be right."""


class NetworkSettings(Section):
    """The VPC."""

    cidr: str = "10.20.0.0/16"
    """A private /16, from which each availability zone takes a /20."""
    availability_zones: int = Field(default=2, ge=2, le=3)

    @field_validator("cidr")
    @classmethod
    def _private_range(cls, value: str) -> str:
        try:
            network = ipaddress.IPv4Network(value)
        except ValueError as error:
            raise ValueError(f"no address range ({error}); right would be 10.20.0.0/16") from error
        if network.prefixlen != 16 or not network.is_private:
            raise ValueError("must be a private /16, such as 10.20.0.0/16 or 172.20.0.0/16")
        return value


RoleArn = Annotated[str, Field(pattern=r"^arn:aws:iam::\d{12}:role/([\w+=,.@-]+/)*[\w+=,.@-]{1,64}$")]


class LakeSettings(Section):
    """How long the buckets keep what, how much one query may read, and who predicts in batches."""

    noncurrent_version_days: int = Field(default=90, ge=1)
    capture_days: int = Field(default=90, ge=1)
    query_result_days: int = Field(default=14, ge=1)
    access_log_days: int = Field(default=365, ge=1)
    query_scan_limit_gb: int = Field(default=100, ge=1)
    prediction_writers: list[RoleArn] = Field(default_factory=list[str])
    """Roles that run `drivetrain predict --batch`; they must exist, and be none of the stack's own (ADR 5)."""
    prediction_readers: list[RoleArn] = Field(default_factory=list[str])
    """Roles that query the predictions through Athena; they must exist, and be none of the stack's own."""

    @field_validator("prediction_writers", "prediction_readers")
    @classmethod
    def _each_once(cls, value: list[str]) -> list[str]:
        if len(set(value)) != len(value):
            raise ValueError("must not name a role twice")
        return value


ClockTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class HoursSettings(Section):
    """When somebody works with the endpoints; outside of it they are stopped (delivery/endpoints/hours.py)."""

    opens: ClockTime
    closes: ClockTime
    days: list[Day] = Field(default=["mon", "tue", "wed", "thu", "fri"], min_length=1)
    timezone: str

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in zoneinfo.available_timezones():
            raise ValueError(f"there is no time zone {value!r}; right would be Europe/Dublin or UTC")
        return value

    @model_validator(mode="after")
    def _opens_first(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError(f"opens ({self.opens}) must come before closes ({self.closes}), on the same day")
        return self

    @property
    def per_week(self) -> float:
        """How many of the week's 168 hours these are."""
        (first, opened), (last, closed) = (map(int, each.split(":")) for each in (self.opens, self.closes))
        return len(set(self.days)) * (last - first + (closed - opened) / 60)


class EndpointSettings(Section):
    """What models are served on."""

    mode: Literal["serverless", "instance"]
    minimum_instances: int = Field(default=1, ge=1)
    """Least number of instances of an endpoint, whatever the model asks for; two or more survive the loss of a zone."""
    hours: HoursSettings | None = None
    """When the endpoints run; always where it is not said."""

    @model_validator(mode="after")
    def _hours_of_instances(self) -> Self:
        if self.hours is not None and self.mode == "serverless":
            raise ValueError("hours are for instances; serverless endpoints cost nothing while nobody asks")
        return self


class ObservabilitySettings(Section):
    """Logs, alarms and the budget."""

    log_retention_days: Literal[7, 14, 30, 60, 90, 180, 365, 731]
    alarm_email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")] | None = None
    budget_usd_per_month: int = Field(ge=1)


class GitHubSettings(Section):
    """Where the stack is deployed from."""

    repository: Annotated[str, Field(pattern=REPOSITORY)]
    """`ORG/REPO`: only its workflows may take the stack's roles, and releases are announced there."""
    owner_id: int | None = Field(default=None, ge=1)
    repository_id: int | None = Field(default=None, ge=1)
    """The numbers that GitHub knows both by; repositories made since July 2026 are trusted by them alone."""
    pull_request_stacks: bool = False
    """Whether pull requests may have stacks of their own in this account."""

    @model_validator(mode="after")
    def _both_numbers_or_none(self) -> Self:
        if (self.owner_id is None) != (self.repository_id is None):
            raise ValueError("owner_id and repository_id belong together; `gh api repos/ORG/REPO` shows both")
        return self

    @property
    def subject_names(self) -> list[str]:
        """The repository as the subject of a workflow's token names it: `ORG/REPO`, and with numbers if known."""
        owner, _, name = self.repository.partition("/")
        numbered = [f"{owner}@{self.owner_id}/{name}@{self.repository_id}"] if self.owner_id else []
        return [self.repository, *numbered]


class Settings(Section):
    """Everything that differs between stacks, and nothing else."""

    # A role's name holds 64 characters: project, stack, model (24) and job share them.
    stack: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,12}$")]
    project: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,14}$")] = "drivetrain"
    account_id: Annotated[str, Field(pattern=r"^\d{12}$")]
    region: Annotated[str, Field(pattern=_REGION)]
    protect: bool
    """Whether what holds data or identity is protected from deletion."""
    network: NetworkSettings = NetworkSettings()
    lake: LakeSettings = LakeSettings()
    endpoint: EndpointSettings
    observability: ObservabilitySettings
    github: GitHubSettings | None = None
    tags: dict[str, str] = Field(default_factory=dict)
    releases: str = "releases"
    """The folder of the release files, relative to the project."""
    ephemeral: bool = False
    """A pull request's stack: what an account has only once (see lake_formation.py, catalog.py) is left to another."""
    scope: Scope = "stack"
    """`stack`: everything in one stack. `models`: the platform in one, each model in one of its own, see scope.py."""

    @field_validator("tags")
    @classmethod
    def _tags_of_ones_own(cls, value: dict[str, str]) -> dict[str, str]:
        for key in value:
            if key in _RESERVED_TAGS or key.lower().startswith("aws:"):
                raise ValueError(f"the tag {key!r} is set by the platform or reserved by AWS; choose another name")
        return value

    @model_validator(mode="after")
    def _predicting_roles_of_this_account(self) -> Self:
        """Roles of the account, but not the stack's own: what those are granted is in LakeGrants, once."""
        for key in ("prediction_writers", "prediction_readers"):
            for role in getattr(self.lake, key):
                if f"::{self.account_id}:" not in role:
                    raise ValueError(f"lake.{key}: {role} is not of this stack's account {self.account_id}")
                if f":role{self.names.role_path}" in role:
                    raise ValueError(
                        f"lake.{key}: {role} is a role of this stack's own (under {self.names.role_path}), "
                        "whose grants the platform makes; name another"
                    )
        return self

    @property
    def names(self) -> Names:
        """The names of this stack."""
        return Names(project=self.project, stack=self.stack, account_id=self.account_id, region=self.region)

    @property
    def default_tags(self) -> dict[str, str]:
        """The tags of every resource of the stack."""
        return {"project": self.project, "stack": self.stack, "managed-by": "pulumi", **self.tags}


def stack_file(project_dir: Path, stack: str) -> Path:
    """Where the settings of `stack` are."""
    return project_dir / f"Pulumi.{stack}.yaml"


def environments(project_dir: Path) -> list[str]:
    """The environments of the project: the stacks whose file holds settings.

    `pulumi stack init dev-auto-mpg --secrets-provider …` leaves a Pulumi.dev-auto-mpg.yaml without any.
    """
    files = sorted(project_dir.glob("Pulumi.*.yaml"))
    return [path.name.split(".")[1] for path in files if SETTINGS_KEY in path.read_text(encoding="utf-8")]


def parse_settings(stack: str, document: Mapping[str, Any], origin: str) -> Settings:
    """The settings in `document`, the object under `drivetrain:settings`."""
    try:
        return Settings.model_validate({**document, "stack": stack})
    except ValidationError as error:
        raise SettingsError(explain(f"{origin}: {SETTINGS_KEY}", error)) from error


def load_settings(project_dir: Path, stack: str) -> Settings:
    """The settings of `stack` as its file in `project_dir` holds them."""
    file = stack_file(project_dir, stack)
    try:
        document: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(_no_such_stack(project_dir, stack)) from error
    except yaml.YAMLError as error:
        raise SettingsError(f"{file.name}: no valid YAML: {error}") from error
    config: Any = document.get("config") if hasattr(document, "get") else None
    settings: Any = config.get(SETTINGS_KEY) if hasattr(config, "get") else None
    if not hasattr(settings, "keys"):
        raise SettingsError(f"{file.name}: config.{SETTINGS_KEY} is missing; it holds the settings of the stack")
    return parse_settings(stack, settings, file.name)


def _no_such_stack(project_dir: Path, stack: str) -> str:
    known = sorted(path.name.split(".")[1] for path in project_dir.glob("Pulumi.*.yaml"))
    close = difflib.get_close_matches(stack, known, n=1, cutoff=0.5)  # so that prod means production
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"unknown stack {stack!r}: there is no Pulumi.{stack}.yaml; stacks are: {', '.join(known) or 'none'}{hint}"
