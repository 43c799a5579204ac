"""The platform, from the source of its data to what keeps its models honest: the one file where components meet."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi

from infra.components.catalog import Catalog, CatalogArgs
from infra.components.images import Images, ImagesArgs
from infra.components.keys import Keys, KeysArgs
from infra.components.lake import Lake, LakeArgs
from infra.components.lake_formation import LakeFormation, LakeFormationArgs, LakeGrants, LakeGrantsArgs
from infra.components.model import ModelDeployment, ModelDeploymentArgs
from infra.components.network import Network, NetworkArgs
from infra.components.observability import Observability, ObservabilityArgs
from infra.model_folders import checked_models
from infra.platform_outputs import PlatformOutputs
from infra.provider import declare_provider, through
from infra.settings import Settings, SettingsError, parse_settings
from infra.sources import project_directory
from models.release import Release, ReleaseError, load_releases
from models.spec import ModelSpec, SpecError


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """All that a stack is made from: its settings, the models there are, and what of them is live."""

    project_dir: Path
    settings: Settings
    specs: tuple[ModelSpec, ...]
    releases: Mapping[str, Release]


def declare() -> None:
    """Declare the current stack from this checkout.

    Settings, a model or a release that is not right stops the program, with the reason, before anything is declared.
    """
    try:
        inputs = read_inputs(project_directory())
    except (SettingsError, SpecError, ReleaseError) as error:
        # The one exception that Pulumi shows as a message, without a traceback.
        raise pulumi.RunError(str(error)) from error
    _declare(inputs)


def read_inputs(project_dir: Path) -> Inputs:
    """Settings of the current stack, models and releases of the checkout."""
    stack = pulumi.get_stack()
    document = pulumi.Config("drivetrain").require_object("settings")
    settings = parse_settings(stack, document, f"Pulumi.{stack}.yaml")
    return Inputs(
        project_dir=project_dir,
        settings=settings,
        specs=checked_models(project_dir),
        releases=load_releases(project_dir / settings.releases / f"{stack}.toml"),
    )


def _declare(inputs: Inputs) -> None:
    """source → lake → training → registry → serving → monitoring."""
    settings, specs = inputs.settings, inputs.specs
    opts = through(declare_provider(settings))

    keys = Keys("keys", KeysArgs(settings=settings), opts).outputs
    network = Network("network", NetworkArgs(settings=settings, keys=keys), opts).outputs

    buckets = Lake("lake", LakeArgs(settings=settings, keys=keys), opts).outputs
    formation = LakeFormation(
        "lake-formation", LakeFormationArgs(settings=settings, keys=keys, lake=buckets["lake"]), opts
    )
    catalog = Catalog(
        "catalog",
        CatalogArgs(
            settings=settings,
            keys=keys,
            lake=buckets["lake"],
            query_results=buckets["query-results"],
            tables=[spec.table for spec in specs],
        ),
        # Databases take the defaults that Lake Formation has when they are made.
        pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[formation])),
    )

    images = Images("images", ImagesArgs(settings=settings, keys=keys, project_dir=inputs.project_dir), opts).outputs
    observability = Observability("observability", ObservabilityArgs(settings=settings, keys=keys, specs=specs), opts)

    platform = PlatformOutputs(
        project_dir=inputs.project_dir,
        settings=settings,
        names=settings.names,
        network=network,
        keys=keys,
        buckets=buckets,
        repositories=images,
        databases=catalog.databases,
        security_configuration=catalog.security_configuration,
        alarm_topic_arn=observability.alarm_topic_arn,
        releases=inputs.releases,
    )
    models = {spec.name: _declare_model(spec, platform, formation.location_arn, opts) for spec in specs}
    _export(platform, models)


def _declare_model(
    spec: ModelSpec,
    platform: PlatformOutputs,
    location_arn: pulumi.Output[str],
    opts: pulumi.ResourceOptions,
) -> ModelDeployment:
    """training → registry → serving → monitoring of one model, and its rights in the lake."""
    release = platform.releases.get(spec.name)
    deployment = ModelDeployment(spec.name, ModelDeploymentArgs(spec=spec, platform=platform, release=release), opts)
    LakeGrants(
        spec.name,
        LakeGrantsArgs(names=platform.names, model=spec.name, databases=platform.databases, location_arn=location_arn),
        # Lake Formation grants to roles that exist.
        pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[deployment])),
    )
    return deployment


def _export(platform: PlatformOutputs, models: Mapping[str, ModelDeployment]) -> None:
    """What the outside needs to know: where data lands, what runs the models, and where they answer."""
    for name in sorted(set(platform.releases) - set(models)):
        pulumi.log.warn(f"models.{name} is released, but there is no such model here; its release is ignored")
    pulumi.export("buckets", {purpose: bucket.name for purpose, bucket in platform.buckets.items()})
    pulumi.export("databases", dict(platform.databases))
    pulumi.export(
        "images",
        {image: pulumi.Output.concat(each.url, ":", each.tag) for image, each in platform.repositories.items()},
    )
    pulumi.export("state_machines", {name: model.state_machine_arn for name, model in models.items()})
    live = {name: model.endpoint_name for name, model in models.items() if model.endpoint_name is not None}
    pulumi.export("endpoints", live)
