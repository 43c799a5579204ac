"""Names of the SageMaker jobs, and what an instance type means for their disks.

A job's name holds 63 characters without underscores, while EventBridge names executions `<uuid>_<uuid>`: so a job is
called `<prefix>-<md5 of the execution's name>`, which also lets anyone compute the job of an execution.
"""

import hashlib
import re

JOB_NAME_LENGTH = 63
_HASH_LENGTH = 32
_PREFIX_LENGTH = JOB_NAME_LENGTH - _HASH_LENGTH - 1

# Families with NVMe disks of their own: SageMaker refuses a volume key for them; the disks encrypt in hardware.
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html (VolumeKmsKeyId)
_LOCAL_STORAGE = re.compile(r"^ml\.(g[4-9]\w*|gr\d\w*|p[5-9]\w*|p6[\w-]*|trn\w+|i\d\w*|[a-z]+\d+[a-z]*d[a-z]*)\.")


def job_prefix(name: str) -> str:
    """`name` short enough to begin a job's name: as it is up to 30 characters, else cut and told apart by a digest."""
    if len(name) <= _PREFIX_LENGTH:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: _PREFIX_LENGTH - 9].rstrip('-')}-{digest}"


def job_name(prefix: str, execution_name: str) -> str:
    """The training and the processing job of an execution, as the state machine computes it with `States.Hash`."""
    return f"{prefix}-{hashlib.md5(execution_name.encode(), usedforsecurity=False).hexdigest()}"


def has_local_storage(instance_type: str) -> bool:
    """Whether instances of the type bring disks that SageMaker uses instead of an EBS volume."""
    return _LOCAL_STORAGE.match(instance_type) is not None
