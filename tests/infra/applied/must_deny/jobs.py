"""What the role of each job may not do."""

from typing import Any, Final

from tests.infra.applied.must_deny.calls import (
    GET,
    LIST,
    MODEL,
    PUT,
    TABLE,
    artifacts,
    capture,
    get_object,
    lake,
    landing,
    put_object,
)

JOBS: Final[dict[str, dict[str, tuple[Any, ...]]]] = {
    "ingest": {
        "read what landed for its model": ("s3", get_object(landing, f"{MODEL}/a.csv")),
        "write its table": ("s3", put_object(lake, lambda place: place.table("curated"))),
        "read what landed for another model": ("s3", get_object(landing, "other/a.csv"), GET),
        "write another model's table": (
            "s3",
            put_object(lake, lambda place: f"warehouse/{place.names.database('curated')}/other/a"),
            PUT,
        ),
        "put an artefact": ("s3", put_object(artifacts, f"models/{MODEL}/a"), PUT),
        "drop its table from the catalog": (
            "glue",
            lambda glue, place: glue.delete_table(DatabaseName=place.names.database("curated"), Name=TABLE),
            "glue:DeleteTable",
        ),
        "use the data key outside S3 and Glue": (
            "kms",
            lambda kms, place: kms.encrypt(KeyId=place.data_key, Plaintext=b"1"),
            "kms:Encrypt",
        ),
    },
    "validate": {
        "read its table": ("s3", get_object(lake, lambda place: place.table("curated"))),
        "write an export": ("s3", put_object(lake, f"exports/{MODEL}/a.parquet")),
        "read the quarantine": ("s3", get_object(lake, lambda place: place.table("quarantine")), GET),
        "write its table": ("s3", put_object(lake, lambda place: place.table("curated")), PUT),
        "change the catalog": (
            "glue",
            lambda glue, place: glue.update_table(
                DatabaseName=place.names.database("curated"), TableInput={"Name": TABLE}
            ),
            "glue:UpdateTable",
        ),
    },
    "train": {
        "read the export": ("s3", get_object(lake, f"exports/{MODEL}/a.parquet")),
        "write its artefact": ("s3", put_object(artifacts, f"models/{MODEL}/b")),
        "write curated rows": ("s3", put_object(lake, lambda place: place.table("curated")), PUT),
        "read the quarantine": ("s3", get_object(lake, lambda place: place.table("quarantine")), GET),
        "read what landed": ("s3", get_object(landing, f"{MODEL}/a.csv"), GET),
        "write another model's artefact": ("s3", put_object(artifacts, "models/other/a"), PUT),
        "propose its own release": ("s3", put_object(artifacts, f"proposals/{MODEL}/a.json"), PUT),
        "put an image": (
            "ecr",
            lambda ecr, place: ecr.put_image(
                repositoryName=place.names.repository("serving"), imageManifest="{}", imageTag="latest"
            ),
            "ecr:PutImage",
        ),
        "start another job": (
            "sagemaker",
            lambda sagemaker, place: sagemaker.create_training_job(**place.training_job()),
            "sagemaker:CreateTrainingJob",
        ),
    },
    "evaluate": {
        "read an artefact": ("s3", get_object(artifacts, f"models/{MODEL}/a")),
        "write an evaluation": ("s3", put_object(artifacts, f"runs/{MODEL}/a.json")),
        "exchange the artefact that it judges": ("s3", put_object(artifacts, f"models/{MODEL}/a"), PUT),
        "register a model": (
            "sagemaker",
            lambda sagemaker, place: sagemaker.create_model_package(
                ModelPackageGroupName=place.names.package_group(MODEL)
            ),
            "sagemaker:CreateModelPackage",
        ),
    },
    "endpoint": {
        "read its artefact": ("s3", get_object(artifacts, f"models/{MODEL}/a")),
        "write captured traffic": ("s3", put_object(capture, f"{MODEL}/a.jsonl")),
        "read the quarantine": ("s3", get_object(lake, lambda place: place.table("quarantine")), GET),
        "read the table": ("s3", get_object(lake, lambda place: place.table("curated")), GET),
        "read what landed": ("s3", get_object(landing, f"{MODEL}/a.csv"), GET),
        "read captured traffic": ("s3", get_object(capture, f"{MODEL}/a.jsonl"), GET),
        "exchange its artefact": ("s3", put_object(artifacts, f"models/{MODEL}/a"), PUT),
        "list another model's artefacts": (
            "s3",
            lambda s3, place: s3.list_objects_v2(Bucket=place.names.bucket("artifacts"), Prefix="models/other/"),
            LIST,
        ),
    },
}
