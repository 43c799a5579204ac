"""The Glue scripts as Glue runs them: one file, the packages from a zip, arguments that are not ours among them."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from models.auto_mpg.source import fetch

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    """The zip of `--extra-py-files`."""
    path = tmp_path_factory.mktemp("glue") / "sources.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for folder in ("lake", "models"):
            for file in sorted((ROOT / folder).rglob("*")):
                if file.suffix in {".py", ".toml"}:
                    archive.write(file, file.relative_to(ROOT))
    return path


@pytest.fixture
def run(place, package, tmp_path):
    shared = {
        "model": "auto-mpg",
        "warehouse": place.location.warehouse,
        "curated-database": place.location.curated_database,
        "quarantine-database": place.location.quarantine_database,
        "JOB_NAME": "drivetrain-local-auto-mpg-ingest",
        "job-language": "python",
    }

    def run_script(step: str, **options: str) -> subprocess.CompletedProcess[str]:
        script = tmp_path / f"{step}.py"
        script.write_bytes((ROOT / "lake/jobs" / f"{step}.py").read_bytes())
        arguments = shared | {name.replace("_", "-"): value for name, value in options.items()}
        flat = [part for name, value in arguments.items() if value for part in (f"--{name}", value)]
        environment = os.environ | {
            "PYTHONPATH": str(package),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONWARNINGS": "error",
        }
        return subprocess.run(
            [sys.executable, str(script), *flat],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )

    return run_script


def result_of(place, key: str) -> dict:
    return json.loads(place.s3.get_object(Bucket=place.landing, Key=key)["Body"].read())


def test_ingest_then_validate(place, run):
    place.land("auto-mpg/cars.csv", fetch())
    results = f"s3://{place.landing}/runs"

    ingested = run("ingest", prefix="auto-mpg/", landing_bucket=place.landing, result=f"{results}/ingest.json")

    assert (ingested.returncode, ingested.stderr) == (0, "")
    ingest = result_of(place, "runs/ingest.json")
    assert (ingest["rows_read"], ingest["rows_added"], ingest["rows_quarantined"]) == (406, 398, 8)
    assert isinstance(ingest["snapshot_id"], str)

    export = f"{place.location.warehouse.removesuffix('warehouse/')}exports/auto-mpg/{ingest['snapshot_id']}/"
    validated = run("validate", snapshot_id=ingest["snapshot_id"], export=export, result=f"{results}/validate.json")

    assert (validated.returncode, validated.stderr) == (0, "")
    result = result_of(place, "runs/validate.json")
    assert result["rows"] == 398 == result["train_rows"] + result["validation_rows"] + result["test_rows"]
    assert all(check["passed"] for check in result["checks"])


def test_a_mistake_is_one_line_and_no_traceback(place, run):
    wrong = {
        "cars.csv": "below 'auto-mpg/'",
        "auto-mpg/none.csv": "no object at s3://",
    }
    for prefix, message in wrong.items():
        failed = run("ingest", prefix=prefix, landing_bucket=place.landing, result=f"s3://{place.landing}/r.json")

        assert failed.returncode == 1
        assert message in failed.stderr
        assert failed.stderr.count("\n") == 1
