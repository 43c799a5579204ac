"""All rules there are, in the order of their modules."""

from infra.policies.rule import Rule
from infra.policies.rules import (
    athena,
    compute,
    ecr,
    glue,
    iam,
    iam_roles,
    kms,
    lake_formation,
    messaging,
    network,
    observability,
    s3,
    s3_buckets,
    sagemaker,
    sagemaker_work,
    stack,
)

ALL_RULES: tuple[Rule, ...] = (
    *s3.RULES,
    *s3_buckets.RULES,
    *kms.RULES,
    *iam.RULES,
    *iam_roles.RULES,
    *ecr.RULES,
    *glue.RULES,
    *athena.RULES,
    *lake_formation.RULES,
    *sagemaker.RULES,
    *sagemaker_work.RULES,
    *network.RULES,
    *observability.RULES,
    *messaging.RULES,
    *compute.RULES,
    *stack.RULES,
)
