"""A built image in the rehearsal's ECR: its manifest and configuration, under its content tags.

The layers stay in podman's storage, where the rehearsal runs the image from: moto would keep them in its memory. The
digest is the image's true one, so what is signed and released names what runs.
"""

import json
from pathlib import Path

from infra.names import Image, Names
from infra.sources import content_tag, content_tags
from rehearsal.containers.build import BuiltImage
from rehearsal.containers.engine import Engine
from rehearsal.images import push_manifest


def push(
    engine: Engine, built: BuiltImage, *, project_dir: Path, image: Image, names: Names, environment: dict[str, str]
) -> str:
    """The digest (`sha256:…`) behind the content tag in the stack's repository, pushed when the tag is not there."""
    manifest = engine.kept(built.id, built.digest)
    config = engine.kept(built.id, built.id)
    digests = {
        tag: push_manifest(
            manifest,
            media_type=str(json.loads(manifest)["mediaType"]),
            blobs=[config],
            repository=names.repository(image),
            tag=tag,
            environment=environment,
        )
        for tag in content_tags(project_dir, image)
    }
    return digests[content_tag(project_dir, image)]
