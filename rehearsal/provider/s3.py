"""S3 buckets and what is set on them: each setting is one resource, one put, one get and one delete."""

from typing import Any, ClassVar

from rehearsal.provider.handler import AutoName, AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.items import items, tag_map, tag_outputs
from rehearsal.provider.requests import input_shape
from rehearsal.provider.service import ServiceHandler
from rehearsal.provider.shapes import to_aws
from rehearsal.provider.tagging import all_tags

_HOSTED_ZONES = {"eu-west-1": "Z1BKCTXD74EZPE", "eu-central-1": "Z21DNDUVLTQW6Q", "us-east-1": "Z3AQBSTGFYJSTF"}


class Bucket(ServiceHandler):
    """A bucket. `forceDestroy` empties it before it is deleted."""

    token = "aws:s3/bucket:Bucket"
    service = "s3"
    autoname: ClassVar[AutoName | None] = AutoName(name_property="bucket", max_length=63)
    replace_on = frozenset({"bucketPrefix", "objectLockEnabled", "region"})
    taggable = True
    local = frozenset({"forceDestroy", "bucketPrefix"})

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        name = inputs["bucket"]
        request: dict[str, Any] = {"Bucket": name}
        if aws.region != "us-east-1":
            request["CreateBucketConfiguration"] = {"LocationConstraint": aws.region}
        if inputs.get("objectLockEnabled"):
            request["ObjectLockEnabledForBucket"] = True
        self.send(aws, "CreateBucket", request)
        self._tag(aws, name, inputs)
        return self.created(aws, name, inputs)

    def _tag(self, aws: AwsClients, name: str, inputs: Properties) -> None:
        tags = [{"Key": key, "Value": value} for key, value in sorted(all_tags(inputs).items())]
        if tags:
            self.send(aws, "PutBucketTagging", {"Bucket": name, "Tagging": {"TagSet": tags}})
        else:
            self.ask(aws, "DeleteBucketTagging", {"Bucket": name})

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        if self.ask(aws, "GetBucketLocation", {"Bucket": resource_id}) is None:
            return None
        found = self.ask(aws, "GetBucketTagging", {"Bucket": resource_id}) or {"TagSet": []}
        tags = tag_map(found["TagSet"])
        outputs = {
            "bucket": resource_id,
            "arn": f"arn:aws:s3:::{resource_id}",
            "bucketDomainName": f"{resource_id}.s3.amazonaws.com",
            "bucketRegionalDomainName": f"{resource_id}.s3.{aws.region}.amazonaws.com",
            "bucketRegion": aws.region,
            "hostedZoneId": _HOSTED_ZONES.get(aws.region, ""),
            **tag_outputs(tags, state),
        }
        return self.outputs(aws, state, outputs)

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        self._tag(aws, resource_id, news)
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        if state.get("forceDestroy"):
            delete_versions(aws, resource_id, "")
        self.ask(aws, "DeleteBucket", {"Bucket": resource_id})


def delete_versions(aws: AwsClients, bucket: str, prefix: str, *, only: str = "") -> None:
    """Delete every version and marker below `prefix`, or of the one key `only`; a bucket that is gone is no error."""
    client = aws.client("s3")
    try:
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=only or prefix):
            found = [*items(page, "Versions"), *items(page, "DeleteMarkers")]
            keys = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found if only in ("", each["Key"])]
            if keys:
                client.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
    except client.exceptions.NoSuchBucket:
        return


class BucketSetting(ServiceHandler):
    """One setting of a bucket; the id is the bucket's name."""

    service = "s3"
    replace_on = frozenset({"bucket", "expectedBucketOwner", "region"})
    local = frozenset({"expectedBucketOwner", "skipDestroy"})
    put: ClassVar[str]
    get: ClassVar[str]
    clear: ClassVar[str] = ""
    member: ClassVar[str]
    """The member of the put request that holds the setting."""
    answer: ClassVar[str] = ""
    """The member of the get answer that holds it, empty where the answer is the setting itself."""

    def request(self, aws: AwsClients, inputs: Properties) -> dict[str, Any]:
        """The put request without the bucket."""
        return {self.member: self.params(aws, self.put, inputs, without={"bucket"}, member=self.member)}

    def settings(self, aws: AwsClients, answer: dict[str, Any]) -> Properties:
        """The outputs in the get answer."""
        held = answer.get(self.answer, {}) if self.answer else answer
        return self.answered(aws, self.get, held, self.answer)

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        self.send(aws, self.put, {"Bucket": inputs["bucket"], **self.request(aws, inputs)})
        return self.created(aws, inputs["bucket"], inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, self.get, {"Bucket": resource_id})
        if answer is None:
            return None
        answer.pop("ResponseMetadata", None)
        return self.outputs(aws, state, {"bucket": resource_id, **self.settings(aws, answer)})

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        self.send(aws, self.put, {"Bucket": resource_id, **self.request(aws, news)})
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, self.clear, {"Bucket": resource_id})


class BucketVersioning(BucketSetting):
    """Versioning can be suspended, never removed."""

    token = "aws:s3/bucketVersioning:BucketVersioning"
    put, get, member = "PutBucketVersioning", "GetBucketVersioning", "VersioningConfiguration"

    def request(self, aws: AwsClients, inputs: Properties) -> dict[str, Any]:
        return {"VersioningConfiguration": {"Status": inputs["versioningConfiguration"]["status"]}}

    def settings(self, aws: AwsClients, answer: dict[str, Any]) -> Properties:
        return {"versioningConfiguration": {"status": answer.get("Status", "Disabled")}}

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        suspended = {"Bucket": resource_id, "VersioningConfiguration": {"Status": "Suspended"}}
        self.ask(aws, "PutBucketVersioning", suspended)


class BucketEncryption(BucketSetting):
    """Default encryption."""

    token = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    put, get, clear = "PutBucketEncryption", "GetBucketEncryption", "DeleteBucketEncryption"
    member = answer = "ServerSideEncryptionConfiguration"


class BucketPublicAccessBlock(BucketSetting):
    """The four switches against public access."""

    token = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    put, get, clear = "PutPublicAccessBlock", "GetPublicAccessBlock", "DeletePublicAccessBlock"
    member = answer = "PublicAccessBlockConfiguration"


class BucketOwnershipControls(BucketSetting):
    """Who owns what others upload."""

    token = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    put, get, clear = "PutBucketOwnershipControls", "GetBucketOwnershipControls", "DeleteBucketOwnershipControls"
    member = answer = "OwnershipControls"

    def request(self, aws: AwsClients, inputs: Properties) -> dict[str, Any]:
        return {"OwnershipControls": {"Rules": [{"ObjectOwnership": inputs["rule"]["objectOwnership"]}]}}

    def settings(self, aws: AwsClients, answer: dict[str, Any]) -> Properties:
        return {"rule": super().settings(aws, answer)["rules"][0]}


class BucketPolicy(BucketSetting):
    """The bucket's policy, as text."""

    token = "aws:s3/bucketPolicy:BucketPolicy"
    put, get, clear, member = "PutBucketPolicy", "GetBucketPolicy", "DeleteBucketPolicy", "Policy"

    def request(self, aws: AwsClients, inputs: Properties) -> dict[str, Any]:
        return {"Policy": inputs["policy"]}


class BucketLifecycle(BucketSetting):
    """What becomes of objects with age."""

    token = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    put, get = "PutBucketLifecycleConfiguration", "GetBucketLifecycleConfiguration"
    clear, member = "DeleteBucketLifecycle", "LifecycleConfiguration"
    local = BucketSetting.local | {"timeouts", "transitionDefaultMinimumObjectSize"}
    not_shown = "moto expires and moves no object."

    def request(self, aws: AwsClients, inputs: Properties) -> dict[str, Any]:
        shape = input_shape(aws, self.service, self.put).members[self.member]
        return {self.member: to_aws(shape, {"rules": inputs["rules"]}, self.spelling)}


class BucketLogging(BucketSetting):
    """Where the bucket's access logs go."""

    token = "aws:s3/bucketLogging:BucketLogging"
    put, get, member, answer = "PutBucketLogging", "GetBucketLogging", "BucketLoggingStatus", "LoggingEnabled"
    not_shown = "moto delivers no access logs."

    def request(self, aws: AwsClients, inputs: Properties) -> dict[str, Any]:
        wanted = {key: value for key, value in inputs.items() if key not in ("bucket", "region", *self.local)}
        shape = input_shape(aws, self.service, self.put).members[self.member]
        status = {"loggingEnabled": {"targetPrefix": "", **wanted}}
        return {"BucketLoggingStatus": to_aws(shape, status, self.spelling)}

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, self.put, {"Bucket": resource_id, "BucketLoggingStatus": {}})


class BucketNotification(BucketSetting):
    """What is told of new objects: EventBridge, queues, topics, functions."""

    token = "aws:s3/bucketNotification:BucketNotification"
    put, get = "PutBucketNotificationConfiguration", "GetBucketNotificationConfiguration"
    member = "NotificationConfiguration"

    def request(self, aws: AwsClients, inputs: Properties) -> dict[str, Any]:
        wanted: dict[str, Any] = {"EventBridgeConfiguration": {}} if inputs.get("eventbridge") else {}
        for name, member, target in _NOTIFIED:
            entries = [_notified(entry, target) for entry in items(inputs, name)]
            if entries:
                wanted[member] = entries
        return {self.member: wanted}

    def settings(self, aws: AwsClients, answer: dict[str, Any]) -> Properties:
        outputs: Properties = {"eventbridge": "EventBridgeConfiguration" in answer}
        for name, member, target in _NOTIFIED:
            arn_key = target[0].lower() + target[1:]
            entries = [
                {"id": entry.get("Id"), arn_key: entry[target], "events": entry["Events"]}
                for entry in answer.get(member, [])
            ]
            if entries:
                outputs[name] = entries
        return outputs

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, self.put, {"Bucket": resource_id, "NotificationConfiguration": {}})


_NOTIFIED = (
    ("queues", "QueueConfigurations", "QueueArn"),
    ("topics", "TopicConfigurations", "TopicArn"),
    ("lambdaFunctions", "LambdaFunctionConfigurations", "LambdaFunctionArn"),
)


def _notified(entry: Properties, target: str) -> dict[str, Any]:
    rules = [
        {"Name": name, "Value": entry[key]}
        for name, key in (("prefix", "filterPrefix"), ("suffix", "filterSuffix"))
        if entry.get(key)
    ]
    wanted: dict[str, Any] = {target: entry[target[0].lower() + target[1:]], "Events": entry["events"]}
    if entry.get("id"):
        wanted["Id"] = entry["id"]
    return {**wanted, "Filter": {"Key": {"FilterRules": rules}}} if rules else wanted


HANDLERS: tuple[ResourceHandler, ...] = (
    Bucket(),
    BucketVersioning(),
    BucketEncryption(),
    BucketPublicAccessBlock(),
    BucketOwnershipControls(),
    BucketPolicy(),
    BucketLifecycle(),
    BucketLogging(),
    BucketNotification(),
)
