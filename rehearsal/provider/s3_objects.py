"""Objects that the program itself puts into a bucket: job scripts, bundles."""

import base64
from typing import Any

from rehearsal.provider.handler import AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.items import tag_map, tag_outputs
from rehearsal.provider.s3 import delete_versions
from rehearsal.provider.service import ServiceHandler
from rehearsal.provider.tagging import all_tags
from rehearsal.provider.wire import asset_bytes


class BucketObject(ServiceHandler):
    """One object; its id is its key. A new content is a new put, another key another object."""

    token = "aws:s3/bucketObject:BucketObject"
    service = "s3"
    replace_on = frozenset({"bucket", "key", "region"})
    taggable = True
    local = frozenset({"source", "content", "contentBase64", "sourceHash", "forceDestroy", "acl"})

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        self._put(aws, inputs)
        return self.created(aws, inputs["key"], inputs)

    def _put(self, aws: AwsClients, inputs: Properties) -> None:
        tags = "&".join(f"{key}={value}" for key, value in sorted(all_tags(inputs).items()))
        request: dict[str, Any] = {
            "Bucket": inputs["bucket"],
            "Key": inputs["key"],
            "Body": _content(inputs),
            **({"Tagging": tags} if tags else {}),
        }
        rest = {key: value for key, value in inputs.items() if key in _MEMBERS}
        request |= {_MEMBERS[key]: value for key, value in rest.items()}
        self.send(aws, "PutObject", request)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        bucket = state["bucket"]
        found = self.ask(aws, "HeadObject", {"Bucket": bucket, "Key": resource_id})
        if found is None:
            return None
        held = self.send(aws, "GetObjectTagging", {"Bucket": bucket, "Key": resource_id})["TagSet"]
        tags = tag_map(held)
        outputs: Properties = {
            "bucket": bucket,
            "key": resource_id,
            "arn": f"arn:aws:s3:::{bucket}/{resource_id}",
            "etag": found["ETag"].strip('"'),
            "versionId": found.get("VersionId", ""),
            "contentType": found.get("ContentType", ""),
            "serverSideEncryption": found.get("ServerSideEncryption", ""),
            "storageClass": found.get("StorageClass", "STANDARD"),
            "metadata": found.get("Metadata", {}),
            **tag_outputs(tags, state),
        }
        if "SSEKMSKeyId" in found:
            outputs["kmsKeyId"] = found["SSEKMSKeyId"]
        return self.outputs(aws, state, outputs)

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        self._put(aws, news)
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        delete_versions(aws, state["bucket"], "", only=resource_id)


class BucketObjectV2(BucketObject):
    """The same under the name of the second Terraform resource."""

    token = "aws:s3/bucketObjectv2:BucketObjectv2"


_MEMBERS = {
    "bucketKeyEnabled": "BucketKeyEnabled",
    "cacheControl": "CacheControl",
    "contentDisposition": "ContentDisposition",
    "contentEncoding": "ContentEncoding",
    "contentLanguage": "ContentLanguage",
    "contentType": "ContentType",
    "kmsKeyId": "SSEKMSKeyId",
    "metadata": "Metadata",
    "serverSideEncryption": "ServerSideEncryption",
    "storageClass": "StorageClass",
}


def _content(inputs: Properties) -> bytes:
    if "source" in inputs:
        return asset_bytes(inputs["source"])
    if "contentBase64" in inputs:
        return base64.b64decode(inputs["contentBase64"])
    return str(inputs.get("content", "")).encode()


HANDLERS: tuple[ResourceHandler, ...] = (BucketObject(), BucketObjectV2())
