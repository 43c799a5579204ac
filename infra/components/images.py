"""The ECR repositories of the images that jobs and endpoints run: a tag, once pushed, always means the same image."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_aws as aws

from infra.names import IMAGES, Image
from infra.platform_outputs import KeyOutputs, Repository
from infra.settings import Settings
from infra.sources import content_tag

_KEPT_IMAGES = 300
"""Far more than are built between two releases, so that no image that is live, or was just before, expires."""


@dataclass(frozen=True, kw_only=True)
class ImagesArgs:
    """The stack, its key, and the sources that the images are built from."""

    settings: Settings
    keys: KeyOutputs
    project_dir: Path


class Images(pulumi.ComponentResource):
    """One repository per image, encrypted, immutable and scanned on push."""

    outputs: Mapping[Image, Repository]

    def __init__(self, name: str, args: ImagesArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:platform:Images", name, None, opts)
        self.outputs = {image: self._repository(image, args) for image in IMAGES}
        self.register_outputs({image: repository.url for image, repository in self.outputs.items()})

    def _repository(self, image: Image, args: ImagesArgs) -> Repository:
        protect = args.settings.protect
        repository = aws.ecr.Repository(
            image,
            name=args.settings.names.repository(image),
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
            encryption_configurations=[
                aws.ecr.RepositoryEncryptionConfigurationArgs(encryption_type="KMS", kms_key=args.keys.data_arn)
            ],
            force_delete=not protect,
            opts=pulumi.ResourceOptions(parent=self, protect=protect),
        )
        aws.ecr.LifecyclePolicy(
            image,
            repository=repository.name,
            policy=json.dumps(lifecycle_policy()),
            opts=pulumi.ResourceOptions(parent=repository),
        )
        return Repository(
            name=repository.name,
            arn=repository.arn,
            url=repository.repository_url,
            tag=content_tag(args.project_dir, image),
        )


def lifecycle_policy() -> dict[str, list[dict[str, object]]]:
    """What expires: untagged images after a week, and the oldest ones beyond what anyone rolls back to."""
    return {
        "rules": [
            {
                "rulePriority": 1,
                "description": "untagged images after a week",
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": 7,
                },
                "action": {"type": "expire"},
            },
            {
                "rulePriority": 2,
                "description": f"all but the last {_KEPT_IMAGES} images",
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": _KEPT_IMAGES},
                "action": {"type": "expire"},
            },
        ]
    }
