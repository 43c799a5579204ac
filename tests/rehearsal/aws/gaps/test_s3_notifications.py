from collections.abc import Callable
from typing import Any


def test_a_bucket_says_that_it_notifies_event_bridge(client: Callable[[str], Any]) -> None:
    s3 = client("s3")
    location = {"LocationConstraint": "eu-west-1"}
    s3.create_bucket(Bucket="notifying", CreateBucketConfiguration=location)
    assert "EventBridgeConfiguration" not in s3.get_bucket_notification_configuration(Bucket="notifying")
    on = {"EventBridgeConfiguration": {}}
    s3.put_bucket_notification_configuration(Bucket="notifying", NotificationConfiguration=on)
    assert s3.get_bucket_notification_configuration(Bucket="notifying")["EventBridgeConfiguration"] == {}
