"""The platform's outputs as plain values, for a model in a stack of its own: written by one stack, read by the other.

What both can tell from settings and sources (names, tags of images) is not written down, so that neither can be out of
date about it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pulumi
from pydantic import ValidationError

from infra.names import BUCKET_PURPOSES, IMAGES, LAYERS, BucketPurpose, Image, Layer
from infra.platform_outputs import Bucket, KeyOutputs, NetworkOutputs, PlatformOutputs, Repository
from infra.settings import Settings
from infra.sources import content_tag
from models.explain import explain
from models.release import Release
from models.schema import Section

OUTPUT = "platform"
"""The stack output that holds them."""


class _Network(Section):
    vpc_id: str
    subnet_ids: list[str]
    job_security_group_id: str
    endpoint_security_group_id: str
    glue_connections: list[str]


class _Keys(Section):
    data_arn: str
    logs_arn: str
    messages_arn: str


class _Bucket(Section):
    name: str
    arn: str


class _Repository(Section):
    name: str
    arn: str
    url: str


class Exported(Section):
    """The output `platform`, as it lies in the state of the platform stack."""

    network: _Network
    keys: _Keys
    buckets: dict[BucketPurpose, _Bucket]
    repositories: dict[Image, _Repository]
    databases: dict[Layer, str]
    security_configuration: str
    workgroup: str
    alarm_topic_arn: str


def exported(platform: PlatformOutputs) -> dict[str, Any]:
    """What the platform stack exports as `platform`: text in lists and objects, nothing else."""
    network, keys = platform.network, platform.keys
    return {
        "network": {
            "vpc_id": network.vpc_id,
            "subnet_ids": network.subnet_ids,
            "job_security_group_id": network.job_security_group_id,
            "endpoint_security_group_id": network.endpoint_security_group_id,
            "glue_connections": network.glue_connections,
        },
        "keys": {"data_arn": keys.data_arn, "logs_arn": keys.logs_arn, "messages_arn": keys.messages_arn},
        "buckets": {purpose: {"name": each.name, "arn": each.arn} for purpose, each in platform.buckets.items()},
        "repositories": {
            image: {"name": each.name, "arn": each.arn, "url": each.url}
            for image, each in platform.repositories.items()
        },
        "databases": dict(platform.databases),
        "security_configuration": platform.security_configuration,
        "workgroup": platform.workgroup,
        "alarm_topic_arn": platform.alarm_topic_arn,
    }


def referenced(
    reference: str, table: str, project_dir: Path, settings: Settings, releases: Mapping[str, Release]
) -> PlatformOutputs:
    """The platform that the environment's first stack declares, as the stack of the model of folder `table` reads it.

    `reference` is that stack's full name, `<organization>/<project>/<stack>`; a self-managed backend knows one
    organization, called `organization`.

    A `pulumi.RunError` ends the program when that stack is not applied yet or was by an older program.
    """
    stack = settings.stack
    outputs = pulumi.StackReference(stack, reference).outputs
    zones = settings.network.availability_zones
    known = outputs.apply(lambda values: read_exported(stack, cast("Mapping[str, Any]", values or {}), zones))

    def text(select: Callable[[Exported], str]) -> pulumi.Output[str]:
        return known.apply(select)

    return PlatformOutputs(
        project_dir=project_dir,
        settings=settings,
        names=settings.names,
        network=_network(text, zones),
        keys=KeyOutputs(
            data_arn=text(lambda found: found.keys.data_arn),
            logs_arn=text(lambda found: found.keys.logs_arn),
            messages_arn=text(lambda found: found.keys.messages_arn),
        ),
        buckets={purpose: _bucket(text, purpose) for purpose in BUCKET_PURPOSES},
        repositories={image: _repository(text, image, content_tag(project_dir, image, table)) for image in IMAGES},
        databases={layer: _database(text, layer) for layer in LAYERS},
        security_configuration=text(lambda found: found.security_configuration),
        workgroup=text(lambda found: found.workgroup),
        alarm_topic_arn=text(lambda found: found.alarm_topic_arn),
        releases=releases,
    )


_Text = Callable[[Callable[[Exported], str]], pulumi.Output[str]]


def _network(text: _Text, zones: int) -> NetworkOutputs:
    def subnet(number: int) -> pulumi.Output[str]:
        return text(lambda found: found.network.subnet_ids[number])

    def connection(number: int) -> pulumi.Output[str]:
        return text(lambda found: found.network.glue_connections[number])

    return NetworkOutputs(
        vpc_id=text(lambda found: found.network.vpc_id),
        subnet_ids=[subnet(number) for number in range(zones)],
        job_security_group_id=text(lambda found: found.network.job_security_group_id),
        endpoint_security_group_id=text(lambda found: found.network.endpoint_security_group_id),
        glue_connections=[connection(number) for number in range(zones)],
    )


def _bucket(text: _Text, purpose: BucketPurpose) -> Bucket:
    return Bucket(
        name=text(lambda found: found.buckets[purpose].name), arn=text(lambda found: found.buckets[purpose].arn)
    )


def _repository(text: _Text, image: Image, tag: str) -> Repository:
    return Repository(
        name=text(lambda found: found.repositories[image].name),
        arn=text(lambda found: found.repositories[image].arn),
        url=text(lambda found: found.repositories[image].url),
        tag=tag,
    )


def _database(text: _Text, layer: Layer) -> pulumi.Output[str]:
    return text(lambda found: found.databases[layer])


def read_exported(stack: str, outputs: Mapping[str, Any], zones: int) -> Exported:
    """The output `platform` among the `outputs` of the platform stack; RunError when it cannot be used."""
    again = f"apply it first: drivetrain deploy {stack}"
    if not outputs:
        raise pulumi.RunError(f"the platform stack {stack} is not applied yet, and its models hang on it; {again}")
    if OUTPUT not in outputs:
        raise pulumi.RunError(
            f"the stack {stack} was applied by an older program: it has no output {OUTPUT!r}; {again}"
        )
    try:
        found = Exported.model_validate(outputs[OUTPUT])
    except ValidationError as error:
        reason = explain(f"the stack {stack}: output {OUTPUT}", error)
        raise pulumi.RunError(f"{reason}; it was applied by another version of the program; {again}") from error
    missing = _missing(found, zones)
    if missing:
        raise pulumi.RunError(
            f"the stack {stack}: output {OUTPUT} lacks {missing}, which its settings ask for; {again}"
        )
    return found


def _missing(found: Exported, zones: int) -> str:
    wanted = {
        "buckets": set(BUCKET_PURPOSES) - {*found.buckets},
        "repositories": set(IMAGES) - {*found.repositories},
        "databases": set(LAYERS) - {*found.databases},
    }
    lacking = [f"{kind}: {', '.join(sorted(names))}" for kind, names in wanted.items() if names]
    if len(found.network.subnet_ids) < zones or len(found.network.glue_connections) < zones:
        lacking.append(f"network: subnets in {zones} availability zones")
    return "; ".join(lacking)
