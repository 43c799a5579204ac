"""An endpoint: a configuration in service, and the change to the next one, blue-green with rollback.

The new fleet is up and healthy before any traffic moves; when it does not come up, the old one simply goes on serving
and the endpoint is InService again on its old configuration with a FailureReason, as SageMaker leaves it. When an
alarm trips while the new fleet bakes, the traffic goes back and the endpoint is InService on its old configuration
without a word: FailureReason is documented for the status Failed alone.
"""

import shutil
import threading
import time
import traceback
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.sagemaker.models import SageMakerModelBackend

from rehearsal.aws import runtime
from rehearsal.aws.endpoints.configuration import EndpointConfiguration
from rehearsal.aws.endpoints.description import capture_summary, variant_summary
from rehearsal.aws.endpoints.fleet import Fleet
from rehearsal.aws.endpoints.model import ModelError, ServedModel
from rehearsal.aws.endpoints.routing import Deployment, Router
from rehearsal.aws.endpoints.traffic import TrafficPlan, traffic_plan
from rehearsal.aws.jobs.sagemaker import absent_removed, now
from rehearsal.aws.processes import ClosedError

_STARTUP_S = 120.0
_LOOK_S = 0.05
"""Seconds between two looks at the alarms while a fleet bakes."""


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
        self.router = Router()
        self.configuration: EndpointConfiguration | None = None
        self.deployment: dict[str, Any] | None = None
        self.instances: dict[str, int] = {}
        """Instances by variant, where they are another number than the configuration's."""
        self._next: tuple[Fleet, ...] = ()
        self._backend = backend
        self._generation = 0
        self._gone = threading.Event()
        self._lock = threading.RLock()

    @property
    def live(self) -> Deployment | None:
        """The deployment in service."""
        return self.router.live

    @property
    def production_variants(self) -> list[dict[str, Any]]:
        """What is in service, as Describe shows it."""
        deployment = self.live
        variants = deployment.configuration.production_variants if deployment else []
        return [self._variant(entry, self.instances) for entry in variants]

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
                    "DataCaptureConfig": capture_summary(request.get("DataCaptureConfig")),
                    "AsyncInferenceConfig": request.get("AsyncInferenceConfig"),
                    "LastDeploymentConfig": self.deployment,
                    "PendingDeploymentSummary": self._pending(),
                    "FailureReason": self.failure_reason,
                }
            )

    def deploy(
        self, configuration: EndpointConfiguration, *, status: str, deployment: dict[str, Any] | None = None
    ) -> None:
        """Begin to change to `configuration` by a DeploymentConfig; `status` holds until that is settled."""
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
            self._gone.set()
            self.endpoint_status = "Deleting"
            fleets = (*(self.live.fleets if self.live else ()), *self._next)
            self.router.settle(None)
        for fleet in fleets:
            fleet.stop()
        shutil.rmtree(runtime.current().endpoint_folder(self.account_id, self.endpoint_name), ignore_errors=True)

    def _deploy(self, configuration: EndpointConfiguration) -> None:
        old, reason, kept = self.live, None, False
        try:
            coming = Deployment(configuration=configuration, fleets=self._fleets(configuration))
            for fleet in coming.fleets:
                fleet.start()
            kept = old is None or self._move(coming, self._plan(configuration))
        except ClosedError:
            return
        except ModelError as error:
            reason = str(error)
        except Exception as error:  # the endpoint's record is the only place where anybody looks
            traceback.print_exc()
            reason = f"{type(error).__name__}: {error}"
        with self._lock:
            started = Deployment(configuration=configuration, fleets=self._next)
            self._next = ()
            superfluous = old if kept else started
            if kept and not self._gone.is_set():
                self.router.settle(started)
                self.instances = {}
            else:
                self.router.withdraw()
        if superfluous is not None:
            superfluous.let_go()
        with self._lock:
            if not self._gone.is_set():
                self.failure_reason = reason
                self.endpoint_status = "InService" if self.live else "Failed"
                self.last_modified_time = now()
        if self._gone.is_set():
            started.let_go()

    def _plan(self, configuration: EndpointConfiguration) -> TrafficPlan:
        counts = (entry.get("InitialInstanceCount") for entry in configuration.production_variants)
        return traffic_plan(self.deployment, sum(int(count or 1) for count in counts))

    def _move(self, coming: Deployment, plan: TrafficPlan) -> bool:
        """Shift the traffic step by step; False when an alarm wants it back or the endpoint is deleted meanwhile."""
        clock = runtime.current().clock
        for share in plan.shares:
            self.router.shift(coming, share)
            if self._tripped(plan, clock.real(plan.bake_s)):
                return False
        return not clock.wait(plan.termination_s, self._gone)

    def _tripped(self, plan: TrafficPlan, seconds: float) -> bool:
        """Look at the alarms while the fleet bakes."""
        alarms = cloudwatch_backends[self.account_id][self._backend.region_name].alarms
        deadline = time.monotonic() + seconds
        while True:
            if any(name in alarms and alarms[name].state_value == "ALARM" for name in plan.alarms):
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if self._gone.wait(min(_LOOK_S, left)):
                return True

    def _fleets(self, configuration: EndpointConfiguration) -> tuple[Fleet, ...]:
        with self._lock:
            self._generation += 1
            generation = self._generation
        folder = runtime.current().endpoint_folder(self.account_id, self.endpoint_name)
        fleets = tuple(
            Fleet(
                ServedModel.of(self._backend, str(variant["ModelName"])),
                configuration=configuration.endpoint_config_name,
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

    def _pending(self) -> dict[str, Any] | None:
        if self.endpoint_status not in ("Creating", "Updating") or self.configuration is None:
            return None
        stage = "Baking" if self.router.next else "Creating"
        variants = [
            {**self._variant(entry, {}), "VariantStatus": [{"Status": stage}]}
            for entry in self.configuration.production_variants
        ]
        name = self.configuration.endpoint_config_name
        return {"EndpointConfigName": name, "StartTime": self.last_modified_time, "ProductionVariants": variants}

    def _variant(self, entry: dict[str, Any], instances: dict[str, int]) -> dict[str, Any]:
        image = ServedModel.of(self._backend, str(entry["ModelName"])).image
        return variant_summary(entry, image, self.last_modified_time, instances.get(str(entry["VariantName"])))
