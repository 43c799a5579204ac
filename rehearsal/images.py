"""Push an image to the rehearsal's ECR through the calls that docker makes: layers, then the manifest under its tag.

The image has one layer, the sources of `infra.sources.image_files`; the libraries are the rehearsal's own.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from delivery.aws_session import aws_session
from infra.names import Image, Names
from infra.sources import content_tag, content_tags, git_commit, image_files
from rehearsal.aws import archives

_MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
_CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
_LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"


def push(project_dir: Path, image: Image, names: Names, environment: dict[str, str]) -> str:
    """The digest (`sha256:…`) of the image in the stack's repository under its content tags, pushed when not there.

    Equal sources give an equal digest. Raises botocore's ClientError when the repository does not exist.
    """
    layer = archives.pack(project_dir, image_files(project_dir, image))
    variables = {"GIT_COMMIT": git_commit(project_dir, image)}
    digests = {
        tag: push_layer(
            layer,
            repository=names.repository(image),
            tag=tag,
            entrypoint=["python", "-m", image],
            variables=variables,
            environment=environment,
        )
        for tag in content_tags(project_dir, image)
    }
    return digests[content_tag(project_dir, image)]


def push_layer(
    layer: bytes,
    *,
    repository: str,
    tag: str,
    entrypoint: list[str],
    variables: dict[str, str],
    environment: dict[str, str],
) -> str:
    """Push an image of one gzipped layer under `tag` unless the tag is taken; returns the digest behind the tag."""
    config = _config(layer, entrypoint, variables)
    manifest = _canonical(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST_TYPE,
            "config": _descriptor(_CONFIG_TYPE, config),
            "layers": [_descriptor(_LAYER_TYPE, layer)],
        }
    )
    return push_manifest(
        manifest,
        media_type=_MANIFEST_TYPE,
        blobs=[layer, config],
        repository=repository,
        tag=tag,
        environment=environment,
    )


def push_manifest(
    manifest: bytes, *, media_type: str, blobs: list[bytes], repository: str, tag: str, environment: dict[str, str]
) -> str:
    """Push blobs and a manifest under `tag` unless the tag is taken; returns the digest behind the tag."""
    ecr = _client(environment)
    found = ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": tag}])["images"]
    if found:
        return str(found[0]["imageId"]["imageDigest"])
    for blob in blobs:
        _upload(ecr, repository, blob)
    try:
        ecr.put_image(
            repositoryName=repository,
            imageManifest=manifest.decode(),
            imageManifestMediaType=media_type,
            imageTag=tag,
        )
    except ClientError as error:  # another push of the same sources was quicker
        if error.response.get("Error", {}).get("Code") not in (
            "ImageAlreadyExistsException",
            "ImageTagAlreadyExistsException",
        ):
            raise
    return _digest(manifest)


def _client(environment: dict[str, str]) -> Any:
    session = aws_session(
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=environment.get("AWS_SESSION_TOKEN"),
        region_name=environment["AWS_REGION"],
    )
    return session.client(
        "ecr", endpoint_url=environment["AWS_ENDPOINT_URL"], config=Config(retries={"total_max_attempts": 2})
    )


def _upload(ecr: Any, repository: str, blob: bytes) -> None:
    upload = ecr.initiate_layer_upload(repositoryName=repository)
    ecr.upload_layer_part(
        repositoryName=repository,
        uploadId=upload["uploadId"],
        partFirstByte=0,
        partLastByte=len(blob) - 1,
        layerPartBlob=blob,
    )
    ecr.complete_layer_upload(repositoryName=repository, uploadId=upload["uploadId"], layerDigests=[_digest(blob)])


def _config(layer: bytes, entrypoint: list[str], variables: dict[str, str]) -> bytes:
    """The OCI image configuration. Its layer id is the compressed layer's: nothing here unpacks by diff id."""
    return _canonical(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {
                "Entrypoint": entrypoint,
                "Env": [f"{name}={value}" for name, value in sorted(variables.items())],
            },
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        }
    )


def _descriptor(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content)}


def _canonical(content: object) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()
