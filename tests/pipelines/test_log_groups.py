"""The names that Glue 5.0 gives the groups of an encrypted job."""

from pipelines.log_groups import STREAMS, glue_log_group, glue_log_prefix


def test_the_groups_of_a_job() -> None:
    job = "drivetrain-local-auto-mpg-ingest"
    groups = [
        glue_log_group(job, security_configuration="drivetrain-local-jobs", role=job, stream=each) for each in STREAMS
    ]
    assert groups == [
        f"/aws-glue/{job}/drivetrain-local-jobs-role/{job}/output",
        f"/aws-glue/{job}/drivetrain-local-jobs-role/{job}/error",
    ]
    assert all(group.startswith(glue_log_prefix(job) + "/") for group in groups)
