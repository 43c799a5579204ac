"""Where endpoints are found: by account, region and name, and all that serve."""

from typing import Any

from moto.sagemaker.models import sagemaker_backends

from rehearsal.aws.endpoints.endpoint import Endpoint


def find(account_id: str, region: str, name: str) -> Endpoint | None:
    """The endpoint of that name, or None."""
    found: Any = sagemaker_backends[account_id][region].endpoints.get(name)
    return found


def running_fleets() -> list[dict[str, Any]]:
    """One entry per serving process: account, region, endpoint, variant, url, pid, model, image, status."""
    found: list[dict[str, Any]] = []
    for account_id, regions in list(sagemaker_backends.items()):
        for region, backend in list(regions.items()):
            endpoints: list[Any] = list(backend.endpoints.values())
            found += [entry for endpoint in endpoints for entry in _fleets(endpoint, account_id, region)]
    return found


def _fleets(endpoint: Endpoint, account_id: str, region: str) -> list[dict[str, Any]]:
    deployment = endpoint.live
    return [
        {
            "account": account_id,
            "region": region,
            "endpoint": endpoint.endpoint_name,
            "variant": fleet.variant,
            "url": fleet.url,
            "pid": fleet.pid,
            "model": fleet.model.name,
            "image": fleet.model.image,
            "status": endpoint.endpoint_status,
        }
        for fleet in (deployment.fleets if deployment else ())
    ]
