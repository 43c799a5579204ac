"""What a model's state machine refers to by name: plain text, known once the platform stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class ImageTarget:
    """Where an image is found: the repository and the content tag that the program declared."""

    repository: str
    url: str
    tag: str


@dataclass(frozen=True, kw_only=True)
class Released:
    """The model that is live, which a new one is compared with."""

    artefact: str
    """`s3://…/model.tar.gz`"""
    snapshot: str


@dataclass(frozen=True, kw_only=True)
class PipelineTargets:
    """Buckets, jobs, roles, keys, images and the network of one model's pipeline."""

    landing_bucket: str
    lake_bucket: str
    artifacts_bucket: str
    curated_database: str
    quarantine_database: str
    ingest_job: str
    validate_job: str
    job_prefix: str
    """What the names of the SageMaker jobs begin with; see `pipelines.jobs.job_prefix`."""
    package_group: str
    event_source: str
    training_image: ImageTarget
    serving_image: ImageTarget
    train_role_arn: str
    evaluate_role_arn: str
    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]
    data_key_arn: str
    signing_key_alias: str
    """Of the key that signs what is proposed, without `alias/`."""
    released: Released | None = None
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
