"""Application Auto Scaling: ListTagsForResource, TagResource, UntagResource, and the tags of RegisterScalableTarget."""

import json
from typing import Any, cast

from moto.applicationautoscaling.models import ApplicationAutoscalingBackend
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse as Response

from rehearsal.aws.gaps import replace

_register = Response.register_scalable_target
_TAGS = "rehearsal_tags"


def _backend(self: Response) -> ApplicationAutoscalingBackend:
    return self.applicationautoscaling_backend


def _target(self: Response, arn: str) -> Any:
    for by_resource in _backend(self).targets.values():
        for target in by_resource.values():
            if target.arn == arn:
                return target
    return None


def _refuse(arn: str) -> tuple[str, dict[str, int]]:
    return json.dumps({"__type": "ResourceNotFoundException", "message": f"{arn} does not exist"}), {"status": 400}


def _list_tags(self: Response) -> Any:
    arn = str(json.loads(self.body)["ResourceARN"])
    target = _target(self, arn)
    return _refuse(arn) if target is None else json.dumps({"Tags": getattr(target, _TAGS, {})})


def _tag(self: Response) -> Any:
    parameters = cast("dict[str, Any]", json.loads(self.body))
    target = _target(self, parameters["ResourceARN"])
    if target is None:
        return _refuse(parameters["ResourceARN"])
    setattr(target, _TAGS, {**getattr(target, _TAGS, {}), **parameters["Tags"]})
    return "{}"


def _untag(self: Response) -> Any:
    parameters = cast("dict[str, Any]", json.loads(self.body))
    target = _target(self, parameters["ResourceARN"])
    if target is None:
        return _refuse(parameters["ResourceARN"])
    tags: dict[str, str] = getattr(target, _TAGS, {})
    setattr(target, _TAGS, {name: tags[name] for name in tags if name not in parameters["TagKeys"]})
    return "{}"


def _register_with_tags(self: Response) -> Any:
    answer = _register(self)
    parameters = cast("dict[str, Any]", json.loads(self.body))
    target: Any = _backend(self).targets[parameters["ScalableDimension"]][parameters["ResourceId"]]
    if "Tags" in parameters:
        setattr(target, _TAGS, parameters["Tags"])
    return json.dumps({"ScalableTargetARN": target.arn}) if answer in ("{}", None) else answer


def install() -> None:
    """Add the calls to moto's Application Auto Scaling."""
    replace(
        Response,
        list_tags_for_resource=_list_tags,
        tag_resource=_tag,
        untag_resource=_untag,
        register_scalable_target=_register_with_tags,
    )
