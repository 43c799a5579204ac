"""All rules there are, in the order of their modules."""

from infra.policies.rule import Rule
from infra.policies.rules import (
    compute,
    ecr,
    iam,
    iam_roles,
    kms,
    lake,
    messaging,
    network,
    observability,
    s3,
    s3_buckets,
    sagemaker,
    stack,
)

ALL_RULES: tuple[Rule, ...] = (
    *s3.RULES,
    *s3_buckets.RULES,
    *kms.RULES,
    *iam.RULES,
    *iam_roles.RULES,
    *ecr.RULES,
    *lake.RULES,
    *sagemaker.RULES,
    *network.RULES,
    *observability.RULES,
    *messaging.RULES,
    *compute.RULES,
    *stack.RULES,
)
