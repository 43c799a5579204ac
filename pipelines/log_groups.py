"""Where the Glue jobs log: one pair of groups per job, so that each has its retention, its key and its readers.

Glue 5.0 makes the names from a prefix that the job gives, and, when logs are encrypted, from its security configuration
and role (https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging-enable.html).
"""

STREAMS = ("output", "error")
"""What the script prints, and what Glue and Spark say."""


def glue_log_prefix(job: str) -> str:
    """The `--custom-logGroup-prefix` of a job."""
    return f"/aws-glue/{job}"


def glue_log_group(job: str, *, security_configuration: str, role: str, stream: str) -> str:
    """The log group of one stream of `job`, which runs as the role named `role`."""
    return f"{glue_log_prefix(job)}/{security_configuration}-role/{role}/{stream}"
