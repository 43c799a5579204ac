"""Whether a release may go live: every pin in it is looked up and every byte hashed, before anything is deployed.

All that is wrong is told at once, one line each, with what would be right. Nothing a release says of itself is
believed: the release has to be the very document that the stack's key signed.

What is taken up anew meets the gates of the present specification. What is released already, or is gone back to, met
those that it was trained with, which its artefact holds: a gate that is tightened stops no deployment.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from delivery.errors import DeliveryError
from delivery.releases.accounts import Account
from delivery.releases.pins import Pins
from models.release import Release, ReleaseError, load_releases
from models.spec import ModelSpec, discover


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong with a release."""

    origin: str
    model: str
    key: str
    """Empty for the release as a whole."""
    said: str

    def __str__(self) -> str:
        place = f"models.{self.model}.{self.key}" if self.key else f"models.{self.model}"
        return f"{self.origin}: {place}: {self.said}"


class RefusedReleaseError(DeliveryError):
    """Releases that may not go live; the message holds one line per finding."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))


def check_file(account: Account, models_dir: Path, only: str | None = None) -> tuple[list[str], list[Finding]]:
    """Check every release in the stack's release file, or one model's: which models were looked at, and what is wrong.

    ReleaseError for a file that is no release file, or one that does not hold the model asked for.
    """
    releases = load_releases(account.releases_file)
    if only is not None and only not in releases:
        held = ", ".join(sorted(releases)) or "none"
        raise ReleaseError(f"{account.origin}: models.{only}: nothing is released; released models are: {held}")
    specs = {spec.name: spec for spec in discover(models_dir)}
    models = sorted(releases) if only is None else [only]
    findings = [
        finding for model in models for finding in check(account, account.origin, specs, model, releases[model])
    ]
    return models, findings


def check(
    account: Account,
    origin: str,
    specs: Mapping[str, ModelSpec],
    model: str,
    release: Release,
    *,
    anew: bool = False,
) -> list[Finding]:
    """Everything that is wrong with one release; `origin` is where it stands, such as `releases/dev.toml`.

    `anew` asks for the gates of the present specification.
    """
    spec = specs.get(model)
    if spec is None:
        known = ", ".join(sorted(specs)) or "none"
        said = f"there is no such model in models/; models are: {known}"
        return [Finding(origin=origin, model=model, key="", said=said)]
    pins = Pins(account, spec, release, anew=anew)
    return [Finding(origin=origin, model=model, key=key, said=said) for key, said in pins.wrong()]


def require_good(account: Account, origin: str, spec: ModelSpec, release: Release) -> None:
    """RefusedReleaseError unless nothing is wrong with a release that is taken up."""
    if findings := check(account, origin, {spec.name: spec}, spec.name, release, anew=True):
        raise RefusedReleaseError(findings)
