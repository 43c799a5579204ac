"""Image repositories."""

from infra.policies.checks import all_of, each_item, is_true, no_statement, not_one_of, one_of, present
from infra.policies.resources import Resource, Stack
from infra.policies.rule import ResourceRule, Rule, StackRule
from infra.policies.sources import ml_lens, security_hub

_REPOSITORY = ("aws:ecr/repository:Repository",)
_POLICY = ("aws:ecr/repositoryPolicy:RepositoryPolicy",)
_LIFECYCLE = ("aws:ecr/lifecyclePolicy:LifecyclePolicy",)
_GOOD = {
    "name": "serving",
    "imageTagMutability": "IMMUTABLE",
    "imageScanningConfiguration": {"scanOnPush": True},
    "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": "arn:aws:kms:eu-west-1:111111111111:key/1"}],
    "forceDelete": False,
}
_PULL = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::222222222222:role/staging-deploy"},
    "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
}


def _expires(repository: Resource, stack: Stack) -> str | None:
    found = stack.referring(_LIFECYCLE, "repository", repository.properties.get("name"))
    return None if found else "no LifecyclePolicy is declared for the repository"


RULES: tuple[Rule, ...] = (
    ResourceRule(
        id="ecr-scan-on-push",
        title="Images are scanned as they are pushed",
        sources=(security_hub("ECR.1"),),
        severity="high",
        types=_REPOSITORY,
        check=is_true("imageScanningConfiguration.scanOnPush"),
        passing=_GOOD,
        broken_by={"imageScanningConfiguration": {"scanOnPush": False}},
    ),
    ResourceRule(
        id="ecr-immutable-tags",
        title="A tag stays on the image that it was given to",
        sources=(security_hub("ECR.2"), ml_lens("MLREL06-BP02")),
        severity="medium",
        types=_REPOSITORY,
        check=one_of("imageTagMutability", "IMMUTABLE"),
        passing=_GOOD,
        broken_by={"imageTagMutability": "MUTABLE"},
    ),
    ResourceRule(
        id="ecr-encryption-kms",
        title="Images are encrypted with a KMS key of one's own",
        sources=(security_hub("ECR.5"), ml_lens("MLSEC02-BP01")),
        severity="medium",
        types=_REPOSITORY,
        check=all_of(
            present("encryptionConfigurations"),
            each_item("encryptionConfigurations", lambda each: None if each.get("kmsKey") else "kmsKey is not set"),
        ),
        passing=_GOOD,
        broken_by={"encryptionConfigurations": [{"encryptionType": "AES256"}]},
    ),
    ResourceRule(
        id="ecr-force-delete",
        title="A repository is never emptied by deleting it",
        sources=(ml_lens("MLREL06-BP02"),),
        severity="high",
        types=_REPOSITORY,
        check=not_one_of("forceDelete", True),
        passing=_GOOD,
        broken_by={"forceDelete": True},
    ),
    ResourceRule(
        id="ecr-policy-not-public",
        title="A repository's policy allows nothing to everyone",
        sources=(ml_lens("MLSEC06-BP01"),),
        severity="critical",
        types=_POLICY,
        check=no_statement(["policy"], lambda each: each.public, "allows everyone"),
        passing={"repository": "serving", "policy": {"Statement": [_PULL]}},
        broken_by={"policy": {"Statement": [{**_PULL, "Principal": "*"}]}},
    ),
    StackRule(
        id="ecr-lifecycle",
        title="Every repository has a lifecycle policy",
        sources=(security_hub("ECR.3"), ml_lens("MLSUS03-BP02")),
        severity="medium",
        types=_REPOSITORY,
        relation=_expires,
        passing=(
            Resource(type=_REPOSITORY[0], name="serving", properties=_GOOD),
            Resource(type=_LIFECYCLE[0], name="serving", properties={"repository": "serving"}),
        ),
        failing=(
            Resource(type=_REPOSITORY[0], name="serving", properties=_GOOD),
            Resource(type=_LIFECYCLE[0], name="training", properties={"repository": "training"}),
        ),
    ),
)
