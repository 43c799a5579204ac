"""An endpoint: a configuration in service, and the change to the next one, blue-green with rollback.

The new fleet is up and healthy before any traffic moves; when it does not come up, the old one simply goes on serving
and the endpoint is InService again on its old configuration with a FailureReason, as SageMaker leaves it.
"""

import random
import shutil
import threading
import traceback
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.sagemaker.models import SageMakerModelBackend

from rehearsal.aws import images, runtime
from rehearsal.aws.endpoints.configuration import EndpointConfiguration
from rehearsal.aws.endpoints.fleet import Fleet
from rehearsal.aws.endpoints.model import ModelError, ServedModel
from rehearsal.aws.jobs.sagemaker import absent_removed, now
from rehearsal.aws.processes import ClosedError

_STARTUP_S = 120.0


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A configuration with its fleets, one per variant."""

    configuration: EndpointConfiguration
    fleets: tuple[Fleet, ...]

    def stop(self) -> None:
        """Stop every fleet."""
        for fleet in self.fleets:
            fleet.stop()

    def pick(self, variant: str | None) -> Fleet | None:
        """The fleet that a request goes to: the named variant's, or one by weight."""
        if variant is not None:
            return next((fleet for fleet in self.fleets if fleet.variant == variant), None)
        weights = [float(entry.get("InitialVariantWeight") or 1.0) for entry in self.configuration.production_variants]
        return random.choices(self.fleets, weights)[0] if self.fleets else None  # noqa: S311 - traffic, not secrets


class Endpoint:
    """One endpoint. moto's lists and tags read its attributes."""

    def __init__(self, name: str, tags: list[dict[str, str]], *, backend: SageMakerModelBackend) -> None:
        self.endpoint_name = name
        self.arn = f"arn:aws:sagemaker:{backend.region_name}:{backend.account_id}:endpoint/{name}"
        self.tags = tags
        self.endpoint_status = "Creating"
        self.failure_reason: str | None = None
        self.creation_time = self.last_modified_time = now()
        self.account_id = backend.account_id
        self.live: Deployment | None = None
        self.configuration: EndpointConfiguration | None = None
        self.deployment: dict[str, Any] | None = None
        self._next: tuple[Fleet, ...] = ()
        self._backend = backend
        self._generation = 0
        self._gone = False
        self._lock = threading.RLock()

    @property
    def production_variants(self) -> list[dict[str, Any]]:
        """What is in service, as Describe shows it."""
        deployment = self.live
        variants = deployment.configuration.production_variants if deployment else []
        return [self._variant(entry) for entry in variants]

    @property
    def response_object(self) -> dict[str, Any]:
        """What moto's Search reads."""
        return self.describe()

    def summary(self) -> dict[str, Any]:
        """An entry of ListEndpoints."""
        return {
            "EndpointName": self.endpoint_name,
            "EndpointArn": self.arn,
            "CreationTime": self.creation_time,
            "LastModifiedTime": self.last_modified_time,
            "EndpointStatus": self.endpoint_status,
        }

    def describe(self) -> dict[str, Any]:
        """The answer to DescribeEndpoint."""
        with self._lock:
            configuration = self.live.configuration if self.live else self.configuration
            request = configuration.request if configuration else {}
            return absent_removed(
                {
                    **self.summary(),
                    "EndpointConfigName": request.get("EndpointConfigName"),
                    "ProductionVariants": self.production_variants or None,
                    "DataCaptureConfig": _capture(request.get("DataCaptureConfig")),
                    "AsyncInferenceConfig": request.get("AsyncInferenceConfig"),
                    "LastDeploymentConfig": self.deployment,
                    "FailureReason": self.failure_reason,
                }
            )

    def deploy(
        self, configuration: EndpointConfiguration, *, status: str, deployment: dict[str, Any] | None = None
    ) -> None:
        """Begin to change to `configuration`; `status` holds until it is in service or given up.

        `deployment` is the request's DeploymentConfig, which is kept and shown but does not slow the change down.
        """
        with self._lock:
            self.endpoint_status = status
            self.configuration = configuration
            self.deployment = deployment
            self.failure_reason = None
            self.last_modified_time = now()
        threading.Thread(
            target=self._deploy, args=(configuration,), name=f"endpoint {self.endpoint_name}", daemon=True
        ).start()

    def delete(self) -> None:
        """Stop everything; a change in progress is given up."""
        with self._lock:
            self._gone = True
            self.endpoint_status = "Deleting"
            fleets = (*(self.live.fleets if self.live else ()), *self._next)
            self.live = None
        for fleet in fleets:
            fleet.stop()
        shutil.rmtree(runtime.current().endpoint_folder(self.account_id, self.endpoint_name), ignore_errors=True)

    def _deploy(self, configuration: EndpointConfiguration) -> None:
        reason = None
        old = self.live
        try:
            fleets = self._fleets(configuration)
            for fleet in fleets:
                fleet.start()
        except ClosedError:
            return
        except ModelError as error:
            reason = str(error)
        except Exception as error:  # the endpoint's record is the only place where anybody looks
            traceback.print_exc()
            reason = f"{type(error).__name__}: {error}"
        with self._lock:
            fleets, self._next = self._next, ()
            superfluous = fleets if reason or self._gone else (old.fleets if old else ())
            if not self._gone:
                if reason is None:
                    self.live = Deployment(configuration=configuration, fleets=fleets)
                self.failure_reason = reason
                self.endpoint_status = "InService" if self.live else "Failed"
                self.last_modified_time = now()
        for fleet in superfluous:
            fleet.stop()

    def _fleets(self, configuration: EndpointConfiguration) -> tuple[Fleet, ...]:
        with self._lock:
            self._generation += 1
            generation = self._generation
        folder = runtime.current().endpoint_folder(self.account_id, self.endpoint_name)
        fleets = tuple(
            Fleet(
                ServedModel.of(self._backend, str(variant["ModelName"])),
                variant=str(variant["VariantName"]),
                home=folder / f"{variant['VariantName']}-{generation}",
                group=f"/aws/sagemaker/Endpoints/{self.endpoint_name}",
                startup_s=float(variant.get("ContainerStartupHealthCheckTimeoutInSeconds") or _STARTUP_S),
            )
            for variant in configuration.production_variants
        )
        with self._lock:
            self._next = fleets
        return fleets

    def _variant(self, entry: dict[str, Any]) -> dict[str, Any]:
        count, weight, serverless = (
            entry.get("InitialInstanceCount"),
            float(entry.get("InitialVariantWeight") or 1.0),
            entry.get("ServerlessConfig"),
        )
        image = ServedModel.of(self._backend, str(entry["ModelName"])).image
        return absent_removed(
            {
                "VariantName": entry["VariantName"],
                "DeployedImages": [_deployed(image, self.last_modified_time)],
                "CurrentWeight": weight,
                "DesiredWeight": weight,
                "CurrentInstanceCount": count,
                "DesiredInstanceCount": count,
                "CurrentServerlessConfig": serverless,
                "DesiredServerlessConfig": serverless,
            }
        )


def _deployed(uri: str, since: datetime) -> dict[str, Any]:
    try:
        digest = images.resolve(uri).digest
    except images.ImageError:
        return {"SpecifiedImage": uri}
    repository = uri.partition("@")[0].rpartition(":")[0] or uri.partition("@")[0]
    return {"SpecifiedImage": uri, "ResolvedImage": f"{repository}@{digest}", "ResolutionTime": since}


def _capture(configuration: dict[str, Any] | None) -> dict[str, Any] | None:
    """A DataCaptureConfigSummary."""
    if not configuration:
        return None
    return {
        "EnableCapture": bool(configuration.get("EnableCapture", True)),
        "CaptureStatus": "Started",
        "CurrentSamplingPercentage": configuration["InitialSamplingPercentage"],
        "DestinationS3Uri": configuration["DestinationS3Uri"],
        "KmsKeyId": configuration.get("KmsKeyId") or "",
    }
