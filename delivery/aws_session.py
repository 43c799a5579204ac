"""boto3 sessions of one process that share botocore's descriptions of the services.

A session of its own for each account and region costs nothing but this: each reads the descriptions again, and those of
SageMaker and EC2 are megabytes of JSON.
"""

from functools import cache
from typing import Any

import botocore.session


def aws_session(**options: Any) -> Any:
    """A `boto3.Session` of these options."""
    import boto3  # noqa: PLC0415 - a tenth of a second, which commands that only read settings need not wait for

    core: Any = botocore.session.Session(profile=options.get("profile_name"))
    descriptions = _descriptions(core.get_config_variable("data_path"))
    core.register_component("data_loader", descriptions)
    session = boto3.Session(botocore_session=core, **options)
    # Every boto3 session appends its folder, also where it stands already.
    descriptions.search_paths[:] = dict.fromkeys(descriptions.search_paths)
    return session


@cache
def _descriptions(path: str | None) -> Any:
    """What reads them from botocore's own folder and from those of AWS_DATA_PATH, and keeps what it read."""
    return botocore.session.create_loader(path)
