"""The settings of an `aws.Provider`: region, default tags, and which accounts it may touch.

Pulumi sends the nested settings of a provider as JSON strings; both forms are read.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from rehearsal.provider.handler import AwsClients


class ProviderConfigurationError(Exception):
    """The provider may not or cannot work with what it was given."""


@dataclass(frozen=True, kw_only=True)
class ProviderConfiguration:
    """What one explicit provider adds to the environment."""

    region: str = ""
    default_tags: Mapping[str, str] = field(default_factory=dict[str, str])
    allowed_account_ids: tuple[str, ...] = ()
    forbidden_account_ids: tuple[str, ...] = ()

    @classmethod
    def parse(cls, inputs: Mapping[str, Any]) -> "ProviderConfiguration":
        """Read a provider's inputs in either form; raises ProviderConfigurationError."""
        tags = _decoded("defaultTags", inputs.get("defaultTags"), {})
        return cls(
            region=str(inputs.get("region") or ""),
            default_tags=cast("dict[str, str]", tags.get("tags") or {}),
            allowed_account_ids=tuple(_decoded("allowedAccountIds", inputs.get("allowedAccountIds"), [])),
            forbidden_account_ids=tuple(_decoded("forbiddenAccountIds", inputs.get("forbiddenAccountIds"), [])),
        )

    def check_account(self, aws: AwsClients) -> None:
        """Refuse credentials of another account; raises ProviderConfigurationError."""
        if self.allowed_account_ids and aws.account_id not in self.allowed_account_ids:
            allowed = ", ".join(self.allowed_account_ids)
            raise ProviderConfigurationError(
                f"the credentials belong to account {aws.account_id}, the provider allows only {allowed}"
            )
        if aws.account_id in self.forbidden_account_ids:
            raise ProviderConfigurationError(f"the provider forbids account {aws.account_id}")


def _decoded(key: str, value: Any, default: Any) -> Any:
    if value is None or value == "":
        return default
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise ProviderConfigurationError(f"{key}: {error}") from error
