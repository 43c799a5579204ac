"""Models and endpoint configurations that no endpoint uses any more, removed once the deployment is verified.

Pulumi retains them when it replaces them (infra/components/endpoint.py), because an alarm may have rolled the endpoint
back to the very ones that it would delete. They cost nothing; they are removed so that nobody has to guess which count.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from delivery.endpoints.declared import resources
from infra.names import Names

_MADE_BY_PULUMI = "-[0-9a-f]{7}"
_TYPES = ("aws:sagemaker/endpointConfiguration:EndpointConfiguration", "aws:sagemaker/model:Model")


@dataclass(frozen=True, kw_only=True)
class Retired:
    """The names of what was removed."""

    configurations: tuple[str, ...]
    models: tuple[str, ...]


def retire(sagemaker: Any, names: Names, state: Mapping[str, Any], *, only: Iterable[str] | None = None) -> Retired:
    """Remove what is the stack's own, in no state and behind no endpoint; `only` limits it to these endpoints.

    Ours is what has the stack's prefix, the ending that Pulumi gives, and the stack's tags. An endpoint that is being
    changed keeps both of its configurations.
    """
    pattern = _pattern(names, only)
    kept = {str(each.get("id", "")) for each in resources(state) if each["type"] in _TYPES and not each.get("delete")}
    used, models_used = _in_use(sagemaker, names, kept)
    configurations = [
        str(entry["EndpointConfigName"])
        for entry in _listed(sagemaker, "list_endpoint_configs", "EndpointConfigs", names)
        if pattern.fullmatch(str(entry["EndpointConfigName"]))
        and entry["EndpointConfigName"] not in used
        and _ours(sagemaker, str(entry["EndpointConfigArn"]), names)
    ]
    models = [
        str(entry["ModelName"])
        for entry in _listed(sagemaker, "list_models", "Models", names)
        if pattern.fullmatch(str(entry["ModelName"]))
        and entry["ModelName"] not in models_used
        and _ours(sagemaker, str(entry["ModelArn"]), names)
    ]
    for name in configurations:
        sagemaker.delete_endpoint_config(EndpointConfigName=name)
    for name in models:
        sagemaker.delete_model(ModelName=name)
    return Retired(configurations=tuple(configurations), models=tuple(models))


def _pattern(names: Names, only: Iterable[str] | None) -> re.Pattern[str]:
    if only is None:
        return re.compile(rf"{re.escape(names.prefix)}-[a-z0-9-]+{_MADE_BY_PULUMI}")
    # The endpoint's name as far as SageMaker's 63 characters leave room for Pulumi's ending.
    stems = "|".join(re.escape(name[:55]) for name in only)
    return re.compile(rf"({stems}){_MADE_BY_PULUMI}")


def _in_use(sagemaker: Any, names: Names, kept: set[str]) -> tuple[set[str], set[str]]:
    """The configurations and models that endpoints use, are being changed to, or that the state holds."""
    configurations = set(kept)
    for entry in _listed(sagemaker, "list_endpoints", "Endpoints", names):
        try:
            endpoint = sagemaker.describe_endpoint(EndpointName=entry["EndpointName"])
        except ClientError as error:
            if "Could not find" in str(error):
                continue
            raise
        configurations.add(str(endpoint.get("EndpointConfigName", "")))
        configurations.add(str(endpoint.get("PendingDeploymentSummary", {}).get("EndpointConfigName", "")))
    models = set(kept)
    for name in configurations - {""}:
        try:
            answer = sagemaker.describe_endpoint_config(EndpointConfigName=name)
        except ClientError as error:
            if "Could not find" in str(error):
                continue
            raise
        models |= {str(variant.get("ModelName", "")) for variant in answer["ProductionVariants"]}
    return configurations, models


def _listed(sagemaker: Any, call: str, key: str, names: Names) -> Iterator[dict[str, Any]]:
    for page in sagemaker.get_paginator(call).paginate(NameContains=f"{names.prefix}-"):
        yield from page[key]


def _ours(sagemaker: Any, arn: str, names: Names) -> bool:
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    tags = {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}
    return (tags.get("project"), tags.get("stack")) == (names.project, names.stack)
