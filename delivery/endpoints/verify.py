"""Whether what is live is what was declared, for every released model of a stack.

Pulumi takes an update for done when the endpoint is InService, and after a rollback that an alarm caused it is: on its
old configuration, without a word. So what SageMaker says is compared with the release file and with the stack's state:
the configuration, the variants with their instances and weights, the image by its digest, the artefact and the release.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from delivery.endpoints.declared import DeclaredEndpoint, DeclaredVariant, declared_endpoints
from delivery.endpoints.live import LiveEndpoint, LiveVariant, configured_at, find_endpoint
from delivery.endpoints.rollback import Cause, tripped_alarms
from delivery.errors import DeliveryError
from models.release import Release


class NotAsDeclaredError(DeliveryError):
    """What is live is not what was declared; the message says for each model what differs, and why."""


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """One thing that is otherwise than declared."""

    what: str
    declared: str
    live: str

    def __str__(self) -> str:
        return f"{self.what}: declared {self.declared or 'none'}, live {self.live or 'none'}"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One model: what is live, and what of it is not as declared."""

    model: str
    endpoint: str
    release: str
    """The package that is live, by the container's own environment; empty when nothing is."""
    configuration: str
    instances: int
    mismatches: tuple[Mismatch, ...] = ()
    rolled_back: bool = False
    reason: str = ""
    causes: tuple[Cause, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything is as declared."""
        return not self.mismatches

    def document(self) -> dict[str, Any]:
        """For a script to read."""
        return {**asdict(self), "ok": self.ok}


def verify(
    *,
    sagemaker: Any,
    cloudwatch: Any,
    endpoints: Mapping[str, str],
    releases: Mapping[str, Release],
    state: Mapping[str, Any],
    since: datetime | None = None,
) -> tuple[Verdict, ...]:
    """Compare every model in `endpoints` (its endpoint's name by the model's) that is released.

    `since` is when the deployment began, for the alarms that it may have tripped; None for when the declared
    configuration was made.
    """
    released = {model: name for model, name in endpoints.items() if model in releases}
    declared = declared_endpoints(state, released.values())
    verdicts: list[Verdict] = []
    for model, name in sorted(released.items()):
        live = find_endpoint(sagemaker, name)
        wanted = declared.get(name)
        mismatches = compare(releases[model], wanted, live)
        verdict = _verdict(model, name, live, mismatches)
        if live is not None and wanted is not None and live.configuration != wanted.configuration:
            began = since or configured_at(sagemaker, wanted.configuration) or live.modified
            causes = tripped_alarms(cloudwatch, live.alarms, began)
            verdict = _verdict(model, name, live, mismatches, causes=causes, rolled_back=live.status == "InService")
        verdicts.append(verdict)
    return tuple(verdicts)


def compare(release: Release, declared: DeclaredEndpoint | None, live: LiveEndpoint | None) -> tuple[Mismatch, ...]:
    """What of a live endpoint is not as its release and the stack's state say."""
    if declared is None:
        return (Mismatch(what="endpoint", declared="", live="in the release file, but never deployed"),)
    if live is None:
        return (Mismatch(what="endpoint", declared=declared.name, live=""),)
    pairs: list[tuple[str, object, object]] = [
        ("status", "InService", live.status),
        ("endpoint configuration", declared.configuration, live.configuration),
        (
            "variants",
            ", ".join(sorted(each.name for each in declared.variants)),
            ", ".join(sorted(each.name for each in live.variants)),
        ),
    ]
    by_name = {variant.name: variant for variant in live.variants}
    for variant in declared.variants:
        if variant.name in by_name:
            pairs += _variant_pairs(release, variant, by_name[variant.name])
    return tuple(
        Mismatch(what=what, declared=str(wanted), live=str(found)) for what, wanted, found in pairs if wanted != found
    )


def _variant_pairs(
    release: Release, declared: DeclaredVariant, live: LiveVariant
) -> Iterable[tuple[str, object, object]]:
    place = f"variant {declared.name}"
    yield f"{place}: weight", declared.weight, live.weight
    yield f"{place}: SageMaker model", declared.model, live.model
    if declared.serverless:
        yield f"{place}: memory (MB)", declared.memory_mb, live.memory_mb
        yield f"{place}: concurrency", declared.concurrency, live.concurrency
    else:
        yield f"{place}: instance type", declared.instance_type, live.instance_type
    if not declared.serverless and live.instances < 1:
        yield f"{place}: instances", "at least 1", live.instances
    yield f"{place}: image", release.image, live.image
    digests = sorted({image.rpartition("@")[2] for image in live.images})
    if digests:  # SageMaker does not say of every kind of endpoint what it resolved
        yield f"{place}: image digest", release.image.rpartition("@")[2], ", ".join(digests)
    yield f"{place}: artefact", release.artefact, live.artefact
    yield f"{place}: release", release.package, live.environment.get("RELEASE", "")
    yield f"{place}: manifest", release.manifest_sha256, live.environment.get("MODEL_MANIFEST_SHA256", "")


def _verdict(
    model: str,
    endpoint: str,
    live: LiveEndpoint | None,
    mismatches: tuple[Mismatch, ...],
    *,
    causes: tuple[Cause, ...] = (),
    rolled_back: bool = False,
) -> Verdict:
    variants = live.variants if live else ()
    return Verdict(
        model=model,
        endpoint=endpoint,
        release=next((each.environment.get("RELEASE", "") for each in variants), ""),
        configuration=live.configuration if live else "",
        instances=sum(each.instances for each in variants),
        mismatches=mismatches,
        rolled_back=rolled_back,
        reason=live.reason if live else "",
        causes=causes,
    )


def refuse(verdicts: Iterable[Verdict]) -> None:
    """Raise NotAsDeclaredError when anything is not as declared."""
    failed = [verdict for verdict in verdicts if not verdict.ok]
    if failed:
        raise NotAsDeclaredError("\n".join(line for verdict in failed for line in explained(verdict)))


def explained(verdict: Verdict) -> list[str]:
    """The lines that say what is wrong with one model, why, and what to do."""
    name = verdict.endpoint
    if verdict.rolled_back:
        lines = [f"{name}: SageMaker rolled the update back; {verdict.release or 'the old release'} is live"]
        lines += [f"  caused by {cause}" for cause in verdict.causes]
        if verdict.reason:
            lines.append(f"  SageMaker says: {verdict.reason}")
        elif not verdict.causes:
            lines.append(
                "  no alarm tripped meanwhile, and SageMaker gives no reason: see the endpoint's events and log"
            )
        lines.append(
            "  the model and the configuration that are live were kept; git revert the release to agree with them"
        )
    else:
        lines = [f"{name}: not as declared"]
        lines += [f"  SageMaker says: {verdict.reason}"] if verdict.reason else []
    return lines + [f"  {mismatch}" for mismatch in verdict.mismatches]
