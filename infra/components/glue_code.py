"""The code of the Glue jobs: two scripts, and one zip of the packages they import, each named by its content.

The zip is the same bytes for the same sources on every machine: sorted, stored uncompressed, with one fixed time.
"""

import base64
import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pulumi
import pulumi_aws as aws

from infra.platform_outputs import Bucket
from infra.sources import package_files

Step = Literal["ingest", "validate"]
STEPS: tuple[Step, ...] = ("ingest", "validate")
_PACKAGES = ("lake", "models")


@dataclass(frozen=True, kw_only=True)
class GlueCodeArgs:
    """The sources and whose they are, the bucket they are uploaded to, and the folder in it."""

    project_dir: Path
    table: str
    bucket: Bucket
    folder: str
    """Such as `glue/auto-mpg`; a model has its own copy, so that one leaving takes nothing from another."""


class GlueCode(pulumi.ComponentResource):
    """The uploaded objects; the URIs are known once they are there."""

    scripts: dict[Step, pulumi.Output[str]]
    packages: pulumi.Output[str]

    def __init__(self, name: str, args: GlueCodeArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:model:GlueCode", name, None, opts)
        self._args, self._name = args, name
        self.scripts = {step: self._upload_script(step) for step in STEPS}
        self.packages = self._upload_packages()
        self.register_outputs({"packages": self.packages})

    def _upload_script(self, step: Step) -> pulumi.Output[str]:
        text = (self._args.project_dir / "lake" / "jobs" / f"{step}.py").read_text(encoding="utf-8")
        uploaded = aws.s3.BucketObject(
            f"{self._name}-{step}",
            bucket=self._args.bucket.name,
            key=f"{self._args.folder}/{hashlib.sha256(text.encode()).hexdigest()}/{step}.py",
            content=text,
            content_type="text/x-python",
            opts=pulumi.ResourceOptions(parent=self),
        )
        return _uri(uploaded)

    def _upload_packages(self) -> pulumi.Output[str]:
        content = packages_zip(self._args.project_dir, self._args.table)
        uploaded = aws.s3.BucketObject(
            f"{self._name}-packages",
            bucket=self._args.bucket.name,
            key=f"{self._args.folder}/{hashlib.sha256(content).hexdigest()}/packages.zip",
            content_base64=base64.b64encode(content).decode("ascii"),
            content_type="application/zip",
            opts=pulumi.ResourceOptions(parent=self),
        )
        return _uri(uploaded)


def packages_zip(project_dir: Path, table: str) -> bytes:
    """`lake/` and `models/` as a zip that Python imports from, without the folders of models other than `table`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for package in _PACKAGES:
            for file in package_files(project_dir, package, table):
                entry = zipfile.ZipInfo(file.as_posix(), date_time=(1980, 1, 1, 0, 0, 0))
                entry.create_system, entry.external_attr = 3, 0o644 << 16
                archive.writestr(entry, (project_dir / file).read_bytes())
    return buffer.getvalue()


def _uri(uploaded: aws.s3.BucketObject) -> pulumi.Output[str]:
    return pulumi.Output.concat("s3://", uploaded.bucket, "/", uploaded.key)
