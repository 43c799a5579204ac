"""The platform, from the source of its data to what keeps its models honest: the one file where components meet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi

from infra.components.announcement import Announcement, AnnouncementArgs
from infra.components.catalog import Catalog, CatalogArgs
from infra.components.images import Images, ImagesArgs
from infra.components.keys import Keys, KeysArgs
from infra.components.lake import Lake, LakeArgs
from infra.components.lake_formation import LakeFormation, LakeFormationArgs, LakeGrants, LakeGrantsArgs
from infra.components.model import ModelDeployment, ModelDeploymentArgs
from infra.components.network import Network, NetworkArgs
from infra.components.observability import Observability, ObservabilityArgs
from infra.components.prediction_grants import PredictionGrants
from infra.components.queries import declare_queries
from infra.model_folders import checked_model, checked_models, model_names
from infra.platform_outputs import PlatformOutputs
from infra.platform_reference import OUTPUT, exported, referenced
from infra.provider import declare_provider, through
from infra.scope import Place, ScopeError, environment_of, place_of
from infra.settings import SETTINGS_KEY, Settings, SettingsError, environments, parse_settings
from infra.sources import project_directory
from models.release import Release, ReleaseError, load_releases
from models.spec import ModelSpec, SpecError


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """All that a stack is made from: its settings, its models, and what of them is live."""

    project_dir: Path
    settings: Settings
    place: Place
    specs: tuple[ModelSpec, ...]
    """Of the model alone in a stack of one model, else all there are."""
    releases: Mapping[str, Release]


def declare() -> None:
    """Declare the current stack from this checkout.

    Settings, a model or a release that is not right stops the program, with the reason, before anything is declared.
    """
    try:
        inputs = read_inputs(project_directory())
    except (SettingsError, ScopeError, SpecError, ReleaseError) as error:
        # The one exception that Pulumi shows as a message, without a traceback.
        raise pulumi.RunError(str(error)) from error
    _declare(inputs)


def read_inputs(project_dir: Path) -> Inputs:
    """Settings of the current stack, models and releases of the checkout."""
    stack = pulumi.get_stack()
    environment = environment_of(stack, environments(project_dir))
    document = pulumi.Config("drivetrain").get_object("settings")
    if document is None:
        raise SettingsError(f"{stack} has no {SETTINGS_KEY}; run pulumi with --config-file Pulumi.{environment}.yaml")
    settings = parse_settings(environment, document, f"Pulumi.{environment}.yaml")
    place = place_of(stack, environment, settings.scope, model_names(project_dir))
    return Inputs(
        project_dir=project_dir,
        settings=settings,
        place=place,
        specs=(checked_model(project_dir, place.model),) if place.model else checked_models(project_dir),
        releases=load_releases(project_dir / settings.releases / f"{environment}.toml"),
    )


def _declare(inputs: Inputs) -> None:
    """Everything, or with `scope: models` the platform in one stack and each model in one of its own."""
    settings = inputs.settings
    opts = through(declare_provider(settings))
    if inputs.place.model:
        _declare_models(_platform_of(inputs, inputs.specs[0]), inputs.specs, opts)
    else:
        platform = _declare_platform(inputs, opts)
        if settings.scope == "stack":
            _declare_models(platform, inputs.specs, opts)


def _platform_of(inputs: Inputs, spec: ModelSpec) -> PlatformOutputs:
    """The platform that another stack of the environment declares."""
    environment = inputs.place.environment
    return referenced(
        f"{pulumi.get_organization()}/{pulumi.get_project()}/{environment}",
        spec.table,
        inputs.project_dir,
        inputs.settings,
        inputs.releases,
    )


def _declare_platform(inputs: Inputs, opts: pulumi.ResourceOptions) -> PlatformOutputs:
    """source → lake, and what all models share."""
    settings, specs = inputs.settings, inputs.specs
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
            tables=[spec.table for spec in specs] if settings.scope == "stack" else [],
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
        workgroup=catalog.workgroup,
        alarm_topic_arn=observability.alarm_topic_arn,
        releases=inputs.releases,
    )
    if settings.lake.prediction_writers or settings.lake.prediction_readers:
        # Granted by an administrator of the lake, whom its settings make one.
        after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[formation]))
        PredictionGrants("prediction-grants", platform, after)
    if settings.github is not None:
        Announcement(
            "announcement",
            AnnouncementArgs(
                settings=settings, github=settings.github, keys=keys, alarm_topic_arn=observability.alarm_topic_arn
            ),
            opts,
        )
    _export_platform(platform, specs)
    return platform


def _declare_models(platform: PlatformOutputs, specs: Sequence[ModelSpec], opts: pulumi.ResourceOptions) -> None:
    """training → registry → serving → monitoring of every model, and where to find them."""
    models = {spec.name: _declare_model(spec, platform, opts) for spec in specs}
    pulumi.export(
        "images",
        {image: pulumi.Output.concat(each.url, ":", each.tag) for image, each in platform.repositories.items()},
    )
    pulumi.export("state_machines", {name: model.state_machine_arn for name, model in models.items()})
    live = {name: model.endpoint_name for name, model in models.items() if model.endpoint_name is not None}
    pulumi.export("endpoints", live)


def _declare_model(spec: ModelSpec, platform: PlatformOutputs, opts: pulumi.ResourceOptions) -> ModelDeployment:
    """One model, its rights in the lake, and the queries of its table where the catalog is in another stack."""
    release = platform.releases.get(spec.name)
    deployment = ModelDeployment(spec.name, ModelDeploymentArgs(spec=spec, platform=platform, release=release), opts)
    LakeGrants(
        spec.name,
        LakeGrantsArgs(
            names=platform.names,
            model=spec.name,
            databases=platform.databases,
        ),
        # Lake Formation grants to roles that exist.
        pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[deployment])),
    )
    if platform.settings.scope == "models":
        child = pulumi.ResourceOptions(parent=deployment)
        declare_queries(spec.table, platform.names, platform.databases, platform.workgroup, child)
    return deployment


def _export_platform(platform: PlatformOutputs, specs: Sequence[ModelSpec]) -> None:
    """What the outside needs to know, such as where data lands; and what models in stacks of their own hang on."""
    for name in sorted(set(platform.releases) - {spec.name for spec in specs}):
        pulumi.log.warn(f"models.{name} is released, but there is no such model here; its release is ignored")
    pulumi.export("buckets", {purpose: bucket.name for purpose, bucket in platform.buckets.items()})
    pulumi.export("databases", dict(platform.databases))
    pulumi.export(OUTPUT, exported(platform))
