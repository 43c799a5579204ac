"""What a SageMaker model says about its one container, and that container's files on this machine."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.sagemaker.models import SageMakerModelBackend

from rehearsal.aws import accounts, archives, images
from rehearsal.aws.jobs import container, storage
from rehearsal.aws.jobs.logs import LogStream
from rehearsal.aws.jobs.requests import section


class ModelError(Exception):
    """A model that cannot be served; the text says why."""


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """A model of SageMaker: image, artefact, environment and role."""

    name: str
    account_id: str
    region: str
    image: str
    data_url: str | None
    environment: dict[str, str]
    role: str
    isolated: bool

    @staticmethod
    def of(backend: SageMakerModelBackend, name: str) -> "ServedModel":
        """Read it from moto. Raises ModelError for a model of several containers, and moto's own for an unknown one."""
        record: dict[str, Any] = backend.describe_model(name).response_object
        containers = [record["PrimaryContainer"]] if record.get("PrimaryContainer") else record.get("Containers") or []
        if len(containers) != 1:
            raise ModelError(f"model {name} has {len(containers)} containers; the rehearsal serves models of one")
        found: dict[str, Any] = containers[0]
        source = section(section(found, "ModelDataSource"), "S3DataSource")
        return ServedModel(
            name=name,
            account_id=backend.account_id,
            region=backend.region_name,
            image=str(found["Image"]),
            data_url=found.get("ModelDataUrl") or source.get("S3Uri"),
            environment=dict(found.get("Environment") or {}),
            role=str(record["ExecutionRoleArn"]),
            isolated=bool(record.get("EnableNetworkIsolation")),
        )

    def prepare(self, home: Path, log: LogStream) -> container.Command:
        """Fetch and unpack what the container needs; returns how to start it. Raises ModelError."""
        try:
            accounts.trust(self.role, "sagemaker.amazonaws.com", region=self.region)
            session = accounts.assume(self.role, region=self.region, session="SageMakerEndpoint")
            image = images.resolve(self.image)
            self._artefact(home / "opt" / "ml" / "model", session)
            return container.of_image(
                image,
                home=home,
                entrypoint=None,
                arguments=["serve"],
                variables={**self.environment, **session},
                alone=self.isolated,
                log=log,
            )
        except (images.ImageError, storage.TransferError, archives.ArchiveError, accounts.UnknownRoleError) as error:
            raise ModelError(f"model {self.name}: {error}") from error

    def _artefact(self, folder: Path, session: dict[str, str]) -> None:
        if not self.data_url:
            folder.mkdir(parents=True)
            return
        s3 = accounts.client("s3", session)
        if self.data_url.endswith("/"):
            storage.download(s3, self.data_url, folder)
            return
        try:
            archives.unpack(storage.fetch(s3, self.data_url), folder)
        except archives.ArchiveError as error:
            raise ModelError(f"model {self.name}: {self.data_url} cannot be unpacked: {error}") from error
