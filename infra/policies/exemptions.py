"""Exemptions from rules: `exemptions.toml` names the rule, the resource, the reason and the day that it ends."""

import datetime
import difflib
import fnmatch
import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from infra.policies.catalogue import ALL_RULES
from models.explain import explain
from models.schema import Section

EXEMPTIONS_FILE = Path(__file__).with_name("exemptions.toml")


class ExemptionError(Exception):
    """The exemptions are not right; the message names file, entry and key, and says what would be right."""


class Exemption(Section):
    """One exemption. It holds up to and including its last day."""

    rule: str
    resource: Annotated[str, Field(min_length=3)]
    """A pattern (`*`, `?`) over the URN, or a logical name; the URN begins with `urn:pulumi:STACK::`."""
    reason: Annotated[str, Field(min_length=20)]
    expires: datetime.date

    def expired(self, today: datetime.date) -> bool:
        """Whether its last day is over."""
        return today > self.expires

    def covers(self, rule: str, urn: str, name: str) -> bool:
        """Whether it exempts this resource from this rule."""
        return self.rule == rule and (self.resource == name or fnmatch.fnmatchcase(urn, self.resource))


class _File(Section):
    exemptions: Annotated[tuple[Exemption, ...], Field(strict=False)] = ()


def load_exemptions(path: Path = EXEMPTIONS_FILE) -> tuple[Exemption, ...]:
    """The exemptions of the file, expired ones included. ExemptionError for what is not one, or of no rule."""
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ExemptionError(f"{path}: no such file") from error
    except tomllib.TOMLDecodeError as error:
        raise ExemptionError(f"{path.name}: no valid TOML: {error}") from error
    try:
        exemptions = _File.model_validate(document).exemptions
    except ValidationError as error:
        raise ExemptionError(explain(path.name, error)) from error
    known = [rule.id for rule in ALL_RULES]
    for index, exemption in enumerate(exemptions):
        if exemption.rule not in known:
            close = difflib.get_close_matches(exemption.rule, known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else "; docs/policies.md lists them"
            raise ExemptionError(f"{path.name}: exemptions.{index}.rule: there is no rule {exemption.rule!r}{hint}")
    return exemptions
