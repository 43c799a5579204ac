"""SageMaker endpoints that really serve, with UpdateEndpoint, which moto lacks, and configurations kept whole."""

from typing import Any, Final

from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.exceptions import AWSValidationException
from moto.sagemaker.responses import SageMakerResponse

from rehearsal.aws.endpoints.configuration import EndpointConfiguration
from rehearsal.aws.endpoints.endpoint import Endpoint
from rehearsal.aws.endpoints.model import ModelError, ServedModel
from rehearsal.aws.gaps import replace
from rehearsal.aws.jobs import requests

NOTES: Final = (
    "A variant is served by one process, whatever its instance count or serverless concurrency; weights between "
    "variants are kept. Traffic moves as the deployment says (all at once, canary, linear; rolling counts as linear) "
    "and an alarm in ALARM takes it back, but baking and termination waits pass at the rehearsal's clock rate, 60 "
    "times as fast, and MaximumExecutionTimeoutInSeconds ends nothing.",
    "Data capture and autoscaling are recorded on an endpoint, not acted on: no traffic is captured, nothing scales by "
    "itself; UpdateEndpointWeightsAndCapacities changes the numbers that are shown.",
)


def install() -> None:
    """Take over configurations and endpoints; moto's lists, tags and deletion of configurations read our records."""
    replace(
        SageMakerResponse,
        create_endpoint_config=create_endpoint_config,
        create_endpoint=create_endpoint,
        update_endpoint=update_endpoint,
        update_endpoint_weights_and_capacities=update_endpoint_weights_and_capacities,
        describe_endpoint=describe_endpoint,
        delete_endpoint=delete_endpoint,
    )


def create_endpoint_config(self: SageMakerResponse) -> ActionResult:
    """CreateEndpointConfig."""
    request = _valid(self, "CreateEndpointConfig")
    configurations: dict[str, Any] = self.sagemaker_backend.endpoint_configs
    configuration = EndpointConfiguration(request, account_id=self.current_account, region=self.region)
    self.sagemaker_backend.validate_production_variants(configuration.production_variants)
    name = configuration.endpoint_config_name
    if configurations.setdefault(name, configuration) is not configuration:
        raise AWSValidationException(f'Cannot create already existing endpoint configuration "{configuration.arn}".')
    return ActionResult({"EndpointConfigArn": configuration.arn})


def create_endpoint(self: SageMakerResponse) -> ActionResult:
    """CreateEndpoint."""
    request = _valid(self, "CreateEndpoint")
    configuration = _configuration(self, request)
    endpoints: dict[str, Any] = self.sagemaker_backend.endpoints
    endpoint = Endpoint(request["EndpointName"], list(request.get("Tags") or []), backend=self.sagemaker_backend)
    if endpoints.setdefault(endpoint.endpoint_name, endpoint) is not endpoint:
        raise AWSValidationException(f'Cannot create already existing endpoint "{endpoint.arn}".')
    endpoint.deploy(configuration, status="Creating", deployment=request.get("DeploymentConfig"))
    return ActionResult({"EndpointArn": endpoint.arn})


def update_endpoint(self: SageMakerResponse) -> ActionResult:
    """UpdateEndpoint."""
    request = _valid(self, "UpdateEndpoint")
    endpoint = _endpoint(self, request)
    configuration = _configuration(self, request)
    if endpoint.endpoint_status in ("Creating", "Updating", "Deleting"):
        raise AWSValidationException(f'Cannot update in-progress endpoint "{endpoint.arn}".')
    if endpoint.endpoint_status == "Failed":
        raise AWSValidationException(f'Cannot update endpoint "{endpoint.arn}" that failed to be created.')
    kept = endpoint.deployment if request.get("RetainDeploymentConfig") else None
    endpoint.deploy(configuration, status="Updating", deployment=request.get("DeploymentConfig", kept))
    return ActionResult({"EndpointArn": endpoint.arn})


def update_endpoint_weights_and_capacities(self: SageMakerResponse) -> ActionResult:
    """UpdateEndpointWeightsAndCapacities: the numbers of instances; weights of one variant decide nothing."""
    request = _valid(self, "UpdateEndpointWeightsAndCapacities")
    endpoint = _endpoint(self, request)
    if endpoint.endpoint_status != "InService":
        raise AWSValidationException(f'Cannot update in-progress endpoint "{endpoint.arn}".')
    known = {str(variant["VariantName"]) for variant in endpoint.production_variants}
    for wanted in request["DesiredWeightsAndCapacities"]:
        if wanted["VariantName"] not in known:
            raise AWSValidationException(f'Could not find variant "{wanted["VariantName"]}" of "{endpoint.arn}".')
        if wanted.get("DesiredInstanceCount") is not None:
            endpoint.instances[wanted["VariantName"]] = int(wanted["DesiredInstanceCount"])
    return ActionResult({"EndpointArn": endpoint.arn})


def describe_endpoint(self: SageMakerResponse) -> ActionResult:
    """DescribeEndpoint."""
    return ActionResult(_endpoint(self, self.params).describe())


def delete_endpoint(self: SageMakerResponse) -> ActionResult:
    """DeleteEndpoint."""
    endpoint = _endpoint(self, self.params)
    self.sagemaker_backend.endpoints.pop(endpoint.endpoint_name, None)
    endpoint.delete()
    return EmptyResult()


def _valid(self: SageMakerResponse, operation: str) -> dict[str, Any]:
    request: dict[str, Any] = dict(self.params)
    problem = requests.problem("sagemaker", operation, request)
    if problem is not None:
        raise AWSValidationException(problem)
    return request


def _configuration(self: SageMakerResponse, request: dict[str, Any]) -> EndpointConfiguration:
    name = str(request["EndpointConfigName"])
    found: Any = self.sagemaker_backend.endpoint_configs.get(name)
    if found is None:
        arn = f"arn:aws:sagemaker:{self.region}:{self.current_account}:endpoint-config/{name}"
        raise AWSValidationException(f'Could not find endpoint configuration "{arn}".')
    try:
        for variant in found.production_variants:
            ServedModel.of(self.sagemaker_backend, str(variant["ModelName"]))
    except ModelError as error:
        raise AWSValidationException(str(error)) from error
    return found


def _endpoint(self: SageMakerResponse, request: dict[str, Any]) -> Endpoint:
    name = str(request["EndpointName"])
    found: Any = self.sagemaker_backend.endpoints.get(name)
    if found is None:
        arn = f"arn:aws:sagemaker:{self.region}:{self.current_account}:endpoint/{name}"
        raise AWSValidationException(f'Could not find endpoint "{arn}".')
    return found
