"""Stacks of pull requests: `pr-<number>`, in dev's account, made from dev's settings and removed for good.

The settings file `Pulumi.pr-<number>.yaml` is derived, never committed. Nothing in such a stack is protected, and what
an account has once (Lake Formation's administrators, the catalog's encryption) stays with dev. So does who predicts in
batches: those roles belong to dev's tables, not to what a pull request tries.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from delivery.pulumi.backend import STACKS
from infra.names import PULL_REQUEST_STACK, PULL_REQUESTS
from infra.settings import SETTINGS_KEY, Settings, SettingsError, load_settings, stack_file

BASE = "dev"
"""The stack whose settings and account those of pull requests take."""
_NETWORKS = 200
"""Second octets that pull-request stacks take in turn, beside 10.20 of the environments."""
_OF_DEV_ALONE = ("prediction_writers", "prediction_readers")
"""Settings of the lake that stay with dev."""


@dataclass(frozen=True, kw_only=True)
class FoundStack:
    """One stack of a pull request that is in the backend."""

    name: str
    changed: datetime

    @property
    def number(self) -> int:
        """The pull request."""
        return int(self.name.rpartition("-")[2])


def stack_name(number: int) -> str:
    """The stack of a pull request."""
    return f"{PULL_REQUESTS}-{number}"


def write_settings(project_dir: Path, number: int) -> Settings:
    """Derive the settings file from dev's and read it back. SettingsError for a number that is none."""
    if number < 0:
        raise SettingsError(f"{number} is no number of a pull request")
    base: Any = yaml.safe_load(stack_file(project_dir, BASE).read_text(encoding="utf-8"))
    load_settings(project_dir, BASE)
    settings = dict(base["config"][SETTINGS_KEY])
    observability = {**settings["observability"], "log_retention_days": 7}
    # Whatever dev's scope is, a stack that lives for hours is one stack, removed as one.
    settings |= {"protect": False, "ephemeral": True, "scope": "stack", "observability": observability}
    settings["network"] = {**settings.get("network", {}), "cidr": f"10.{50 + number % _NETWORKS}.0.0/16"}
    settings["lake"] = {key: each for key, each in settings.get("lake", {}).items() if key not in _OF_DEV_ALONE}
    file = stack_file(project_dir, stack_name(number))
    text = yaml.safe_dump({"config": {SETTINGS_KEY: settings}}, sort_keys=False)
    file.write_text(
        f"# Derived from Pulumi.{BASE}.yaml for a pull request; not to be committed.\n{text}", encoding="utf-8"
    )
    return load_settings(project_dir, stack_name(number))


def found_stacks(s3: Any, bucket: str, project: str) -> list[FoundStack]:
    """The stacks of pull requests in the state bucket, each with the time that its state was written last."""
    prefix = f"{STACKS}/{project}/{PULL_REQUESTS}-"
    found: list[FoundStack] = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            name, _, ending = entry["Key"].rpartition("/")[2].partition(".")
            if ending == "json" and PULL_REQUEST_STACK.match(name):
                found.append(FoundStack(name=name, changed=entry["LastModified"]))
    return found


def expired(stacks: list[FoundStack], now: datetime, age: timedelta) -> list[FoundStack]:
    """Those that nothing was applied to for that long."""
    return [stack for stack in stacks if now - stack.changed > age]
