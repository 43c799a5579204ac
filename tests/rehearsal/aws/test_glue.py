"""Glue runs the script, and guards its tables against two changes at once."""

import io
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.slow

SCRIPT = b"""
import argparse, os, sys, time
import extra
parser = argparse.ArgumentParser()
parser.add_argument("--mode")
parser.add_argument("--model")
options, rest = parser.parse_known_args()
print("model", options.model, extra.VALUE, rest[:1], flush=True)
if options.mode == "raise":
    raise ValueError("column mpg is missing")
if options.mode == "hang":
    time.sleep(300)
"""
STATES = ("SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED", "ERROR")


@pytest.fixture
def job(account: Any) -> str:
    bucket = account.bucket()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("extra.py", "VALUE = 'from the zip'")
    s3 = account.client("s3")
    s3.put_object(Bucket=bucket, Key="glue/ingest.py", Body=SCRIPT)
    s3.put_object(Bucket=bucket, Key="glue/extra.zip", Body=packed.getvalue())
    account.client("glue").create_job(
        Name="ingest",
        Role=account.role(),
        Command={"Name": "glueetl", "ScriptLocation": f"s3://{bucket}/glue/ingest.py", "PythonVersion": "3"},
        DefaultArguments={"--extra-py-files": f"s3://{bucket}/glue/extra.zip", "--model": "auto-mpg", "--mode": "good"},
        GlueVersion="5.0",
        Timeout=5,
        ExecutionProperty={"MaxConcurrentRuns": 1},
    )
    return "ingest"


def finished(account: Any, job: str, run: str, eventually: Callable[..., Any]) -> dict[str, Any]:
    glue = account.client("glue")

    def look() -> Any:
        found = glue.get_job_run(JobName=job, RunId=run)["JobRun"]
        return found if found["JobRunState"] in STATES else None

    return eventually(look)


def test_a_run_succeeds_and_logs(account: Any, job: str, eventually: Callable[..., Any]) -> None:
    run = account.client("glue").start_job_run(JobName=job, Arguments={"--model": "boats"})["JobRunId"]
    found = finished(account, job, run, eventually)
    assert (found["JobRunState"], found.get("ErrorMessage")) == ("SUCCEEDED", None)
    assert found["Arguments"]["--model"] == "boats"
    events = account.client("logs").get_log_events(logGroupName="/aws-glue/jobs/output", logStreamName=run)["events"]
    assert events[0]["message"] == "model boats from the zip ['--JOB_NAME']"


def test_a_run_logs_where_its_job_says(account: Any, job: str, eventually: Callable[..., Any]) -> None:
    run = account.client("glue").start_job_run(JobName=job, Arguments={"--custom-logGroup-prefix": "/aws-glue/mine"})
    finished(account, job, run["JobRunId"], eventually)
    streams = account.client("logs").describe_log_streams(logGroupName="/aws-glue/mine/output")["logStreams"]
    assert [stream["logStreamName"] for stream in streams] == [run["JobRunId"]]


def test_a_failed_run_says_its_last_error_line(account: Any, job: str, eventually: Callable[..., Any]) -> None:
    run = account.client("glue").start_job_run(JobName=job, Arguments={"--mode": "raise"})["JobRunId"]
    found = finished(account, job, run, eventually)
    assert (found["JobRunState"], found["ErrorMessage"]) == ("FAILED", "ValueError: column mpg is missing")


def test_a_run_is_stopped_and_two_at_once_are_refused(account: Any, job: str, eventually: Callable[..., Any]) -> None:
    glue = account.client("glue")
    run = glue.start_job_run(JobName=job, Arguments={"--mode": "hang"})["JobRunId"]
    eventually(lambda: glue.get_job_run(JobName=job, RunId=run)["JobRun"]["JobRunState"] == "RUNNING")
    with pytest.raises(ClientError, match="ConcurrentRunsExceeded"):
        glue.start_job_run(JobName=job)
    answer = glue.batch_stop_job_run(JobName=job, JobRunIds=[run, "jr_none"])
    assert [entry["JobRunId"] for entry in answer["SuccessfulSubmissions"]] == [run]
    assert [entry["JobRunId"] for entry in answer["Errors"]] == ["jr_none"]
    assert finished(account, job, run, eventually)["JobRunState"] == "STOPPED"


def test_a_script_that_is_not_there_fails_the_run(account: Any, job: str, eventually: Callable[..., Any]) -> None:
    glue = account.client("glue")
    location = "s3://nowhere-at-all/ingest.py"
    glue.create_job(Name="lost", Role=account.role(), Command={"Name": "glueetl", "ScriptLocation": location})
    found = finished(account, "lost", glue.start_job_run(JobName="lost")["JobRunId"], eventually)
    assert found["JobRunState"] == "FAILED"
    assert location in found["ErrorMessage"]


def test_an_update_of_a_stale_version_is_refused(account: Any) -> None:
    glue = account.client("glue")
    glue.create_database(DatabaseInput={"Name": "cars"})
    glue.create_table(DatabaseName="cars", TableInput={"Name": "cars", "Parameters": {"metadata_location": "0"}})
    version = glue.get_table(DatabaseName="cars", Name="cars")["Table"]["VersionId"]

    def commit(number: int) -> str:
        table = {"Name": "cars", "Parameters": {"metadata_location": str(number)}}
        try:
            glue.update_table(DatabaseName="cars", TableInput=table, VersionId=version)
        except ClientError as error:
            return str(error.response.get("Error", {}).get("Code"))
        return "committed"

    with ThreadPoolExecutor(8) as threads:
        answers = sorted(threads.map(commit, range(1, 9)))
    assert answers == ["ConcurrentModificationException"] * 7 + ["committed"]


def test_of_two_tables_made_at_once_one_is_refused(account: Any) -> None:
    glue = account.client("glue")
    glue.create_database(DatabaseInput={"Name": "cars"})

    def create(number: int) -> str:
        try:
            glue.create_table(DatabaseName="cars", TableInput={"Name": "new", "Parameters": {"by": str(number)}})
        except ClientError as error:
            return str(error.response.get("Error", {}).get("Code"))
        return "created"

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(create, range(4))) == ["AlreadyExistsException"] * 3 + ["created"]
