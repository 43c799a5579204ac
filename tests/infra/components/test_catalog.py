"""The Glue catalog, Athena and Lake Formation."""

from pathlib import Path
from typing import Any

import pytest

from infra import platform
from infra.components.queries import QUERIES
from infra.settings import load_settings

ACCOUNT = "arn:aws:iam::222222222222:role"


def test_a_database_lies_where_the_lake_writes_its_tables(declared: Any) -> None:
    databases = declared("staging").of("aws:glue/catalogDatabase:CatalogDatabase")
    assert {each.inputs["name"]: each.inputs["locationUri"] for each in databases} == {
        f"drivetrain_staging_{layer}": (
            f"s3://drivetrain-staging-333333333333-lake/warehouse/drivetrain_staging_{layer}"
        )
        for layer in ("raw", "curated", "quarantine", "predictions")
    }


def test_the_catalog_and_the_jobs_encrypt(program: Any) -> None:
    (catalog,) = program.of("aws:glue/dataCatalogEncryptionSettings:DataCatalogEncryptionSettings")
    settings = catalog.inputs["dataCatalogEncryptionSettings"]
    data = "arn:aws:made-up:::data"
    assert settings["encryptionAtRest"] == {"catalogEncryptionMode": "SSE-KMS", "sseAwsKmsKeyId": data}
    assert settings["connectionPasswordEncryption"]["returnConnectionPasswordEncrypted"] is True
    (jobs,) = program.of("aws:glue/securityConfiguration:SecurityConfiguration")
    assert jobs.inputs["encryptionConfiguration"] == {
        "s3Encryption": {"s3EncryptionMode": "SSE-KMS", "kmsKeyArn": data},
        "cloudwatchEncryption": {"cloudwatchEncryptionMode": "SSE-KMS", "kmsKeyArn": "arn:aws:made-up:::logs"},
        "jobBookmarksEncryption": {"jobBookmarksEncryptionMode": "CSE-KMS", "kmsKeyArn": data},
    }


def test_queries_are_bounded_and_their_results_encrypted(program: Any) -> None:
    (workgroup,) = program.of("aws:athena/workgroup:Workgroup")
    configuration = workgroup.inputs["configuration"]
    assert configuration["enforceWorkgroupConfiguration"] is True
    assert configuration["bytesScannedCutoffPerQuery"] == 100 * 10**9
    result = configuration["resultConfiguration"]
    assert result["outputLocation"].endswith("-query-results/athena/")
    assert result["encryptionConfiguration"] == {
        "encryptionOption": "SSE_KMS",
        "kmsKeyArn": "arn:aws:made-up:::data",
    }


def test_every_model_has_its_named_queries(declared: Any, project_dir: Path) -> None:
    queries = declared("dev").of("aws:athena/namedQuery:NamedQuery")
    models = [path.parent.name for path in (project_dir / "models").glob("*/model.toml")]
    assert {each.inputs["name"] for each in queries} == {f"{table} {q.name}" for table in models for q in QUERIES}
    snapshots = next(each for each in queries if each.inputs["name"] == "auto_mpg snapshots")
    assert '"drivetrain_dev_curated"."auto_mpg$snapshots"' in snapshots.inputs["query"]
    assert not [each for each in queries if "{" in each.inputs["query"]]


def test_lake_formation_opens_nothing_by_default(program: Any) -> None:
    (settings,) = program.of("aws:lakeformation/dataLakeSettings:DataLakeSettings")
    assert [arn.rsplit("-", 1)[1] for arn in settings.inputs["admins"]] == ["deploy"]
    assert "createTableDefaultPermissions" not in settings.inputs
    assert "createDatabaseDefaultPermissions" not in settings.inputs


def test_the_warehouse_is_registered_with_a_role_of_its_own(program: Any) -> None:
    (registered,) = program.of("aws:lakeformation/resource:Resource")
    assert registered.inputs["arn"] == "arn:aws:made-up:::lake/warehouse"
    assert registered.inputs["roleArn"] == "arn:aws:made-up:::lake-location-role"
    permissions = program.one("aws:iam/rolePolicy:RolePolicy", "lake-location-permissions").policy()
    resources = {each["Sid"]: each["Resource"] for each in permissions["Statement"]}
    assert resources["Objects"] == "arn:aws:made-up:::lake/warehouse/*"


def test_jobs_are_granted_what_they_need_of_the_lake(declared: Any, project_dir: Path) -> None:
    names = load_settings(project_dir, "dev").names
    granted = {
        (each.inputs["principal"], place(each.inputs), tuple(each.inputs["permissions"]))
        for each in declared("dev").of("aws:lakeformation/permissions:Permissions")
    }
    ingest, validate = names.role_arn("auto-mpg-ingest"), names.role_arn("auto-mpg-validate")
    writes = ("CREATE_TABLE", "DESCRIBE")
    assert granted == {
        (ingest, (("name", "drivetrain_dev_curated"),), writes),
        (ingest, (("name", "drivetrain_dev_quarantine"),), writes),
        (validate, (("name", "drivetrain_dev_curated"),), ("DESCRIBE",)),
        (validate, (("databaseName", "drivetrain_dev_curated"), ("wildcard", True)), ("DESCRIBE",)),
    }


def predictions_granted(run_program: Any, config: Any, **lake: list[str]) -> set[tuple[Any, ...]]:
    """The grants to roles that are not the stack's own."""
    program = run_program(platform.declare, config("dev", lake=lake), "dev")
    return {
        (each.inputs["principal"].rsplit("/", 1)[1], place(each.inputs), tuple(each.inputs["permissions"]))
        for each in program.of("aws:lakeformation/permissions:Permissions")
        if "/drivetrain/" not in each.inputs["principal"]
    }


@pytest.mark.slow
def test_who_writes_predictions_and_who_reads_them_is_granted_so_and_no_more(run_program: Any, config: Any) -> None:
    writer, reader = f"{ACCOUNT}/aws-reserved/sso.amazonaws.com/nightly", f"{ACCOUNT}/analyst"
    granted = predictions_granted(run_program, config, prediction_writers=[writer], prediction_readers=[reader])
    curated, predictions = "drivetrain_dev_curated", "drivetrain_dev_predictions"
    assert granted == {
        ("nightly", (("name", curated),), ("DESCRIBE",)),
        ("nightly", (("databaseName", curated), ("wildcard", True)), ("DESCRIBE",)),
        ("nightly", (("name", predictions),), ("CREATE_TABLE", "DESCRIBE")),
        ("nightly", (("databaseName", predictions), ("wildcard", True)), ("ALTER", "DESCRIBE")),
        ("analyst", (("name", predictions),), ("DESCRIBE",)),
        ("analyst", (("databaseName", predictions), ("wildcard", True)), ("DESCRIBE", "SELECT")),
    }


@pytest.mark.slow
def test_a_role_that_writes_and_reads_predictions_has_one_grant_of_each(run_program: Any, config: Any) -> None:
    both = [f"{ACCOUNT}/analyst"]
    granted = predictions_granted(run_program, config, prediction_writers=both, prediction_readers=both)
    assert len(granted) == 4
    tables = (("databaseName", "drivetrain_dev_predictions"), ("wildcard", True))
    assert [permissions for _, where, permissions in granted if where == tables] == [("ALTER", "DESCRIBE", "SELECT")]


@pytest.mark.slow
def test_where_nobody_is_named_nobody_is_granted_the_predictions(run_program: Any, config: Any) -> None:
    assert predictions_granted(run_program, config) == set()


def place(inputs: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    """What a grant is on."""
    found = inputs.get("database") or inputs["table"]
    return tuple(sorted(found.items()))
