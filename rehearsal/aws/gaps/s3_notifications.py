"""S3 says that a bucket notifies EventBridge: moto keeps the setting and leaves it out of its answer."""

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.s3.responses import S3Response

from rehearsal.aws.gaps import replace

_get_bucket_notification = S3Response.get_bucket_notification


def _with_event_bridge(self: S3Response) -> Any:
    configuration = self.backend.get_bucket_notification_configuration(self.bucket_name)
    if configuration is None or configuration.event_bridge is None:
        return _get_bucket_notification(self)
    response: Any = self
    serialized = response.serialized

    def serialize(action_result: ActionResult) -> Any:
        held: Any = {} if isinstance(action_result, EmptyResult) else action_result.result
        return serialized(ActionResult({**held, "EventBridgeConfiguration": {}}))

    response.serialized = serialize
    return _get_bucket_notification(self)


def install() -> None:
    """Answer GetBucketNotificationConfiguration as a whole."""
    replace(S3Response, get_bucket_notification=_with_event_bridge)
