"""SageMaker: deletion of model packages and groups, a group's policy, and the fields of a model that moto drops."""

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.exceptions import AWSValidationException
from moto.sagemaker.responses import SageMakerResponse

from rehearsal.aws.gaps import replace

NOTES = ("the number of a deleted model package version may be given again; on AWS it never is.",)

_create_model = SageMakerResponse.create_model
_POLICY = "rehearsal_policy"


def _group(self: SageMakerResponse) -> Any:
    name = self._get_param("ModelPackageGroupName")  # pyright: ignore[reportPrivateUsage] - moto's way to read a request
    return self.sagemaker_backend.describe_model_package_group(name)


def _delete_group(self: SageMakerResponse) -> ActionResult:
    group = _group(self)
    name = group.model_package_group_name
    packages: Any = self.sagemaker_backend.model_packages.values()
    if any(package.model_package_group_name == name for package in packages):
        raise AWSValidationException(f"Model package group {name} still holds model packages.")
    del self.sagemaker_backend.model_package_groups[name]
    return EmptyResult()


def _delete_package(self: SageMakerResponse) -> ActionResult:
    name = self._get_param("ModelPackageName")  # pyright: ignore[reportPrivateUsage]
    package = self.sagemaker_backend.describe_model_package(name)
    del self.sagemaker_backend.model_packages[package.arn]
    return EmptyResult()


def _put_policy(self: SageMakerResponse) -> ActionResult:
    group = _group(self)
    setattr(group, _POLICY, self._get_param("ResourcePolicy"))  # pyright: ignore[reportPrivateUsage]
    return ActionResult({"ModelPackageGroupArn": group.arn})


def _get_policy(self: SageMakerResponse) -> ActionResult:
    policy = getattr(_group(self), _POLICY, None)
    if policy is None:
        raise AWSValidationException("Cannot find resource policy of the model package group.")
    return ActionResult({"ResourcePolicy": policy})


def _delete_policy(self: SageMakerResponse) -> ActionResult:
    setattr(_group(self), _POLICY, None)
    return EmptyResult()


def _create_whole_model(self: SageMakerResponse) -> ActionResult:
    answer = _create_model(self)
    name = self._get_param("ModelName")  # pyright: ignore[reportPrivateUsage]
    model: Any = self.sagemaker_backend._models[name]  # pyright: ignore[reportPrivateUsage]
    for member, attribute in (
        ("EnableNetworkIsolation", "enable_network_isolation"),
        ("InferenceExecutionConfig", "inference_execution_config"),
    ):
        if (value := self._get_param(member)) is not None:  # pyright: ignore[reportPrivateUsage]
            setattr(model, attribute, value)
    return answer


def install() -> None:
    """Add the calls to moto's SageMaker."""
    replace(
        SageMakerResponse,
        delete_model_package=_delete_package,
        delete_model_package_group=_delete_group,
        put_model_package_group_policy=_put_policy,
        get_model_package_group_policy=_get_policy,
        delete_model_package_group_policy=_delete_policy,
        create_model=_create_whole_model,
    )
