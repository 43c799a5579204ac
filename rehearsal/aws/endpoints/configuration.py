"""An endpoint configuration, kept whole: moto drops serverless, deployment, shadow and network members."""

from typing import Any

from rehearsal.aws.jobs.sagemaker import now


class EndpointConfiguration:
    """One configuration. moto's lists and tags read its attributes."""

    def __init__(self, request: dict[str, Any], *, account_id: str, region: str) -> None:
        self.request = {key: value for key, value in request.items() if key != "Tags" and value is not None}
        self.endpoint_config_name = str(request["EndpointConfigName"])
        self.arn = f"arn:aws:sagemaker:{region}:{account_id}:endpoint-config/{self.endpoint_config_name}"
        self.endpoint_config_arn = self.arn
        self.tags: list[dict[str, str]] = list(request.get("Tags") or [])
        self.production_variants: list[dict[str, Any]] = list(request["ProductionVariants"])
        self.creation_time = now()

    @property
    def response_object(self) -> dict[str, Any]:
        """The answer to DescribeEndpointConfig."""
        return {**self.request, "EndpointConfigArn": self.arn, "CreationTime": self.creation_time}

    def summary(self) -> dict[str, Any]:
        """An entry of ListEndpointConfigs."""
        return {
            "EndpointConfigName": self.endpoint_config_name,
            "EndpointConfigArn": self.arn,
            "CreationTime": self.creation_time,
        }
