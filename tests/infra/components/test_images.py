from typing import Any

from infra.components.images import lifecycle_policy


def test_repositories_are_immutable_encrypted_and_scanned(program: Any) -> None:
    repositories = program.of("aws:ecr/repository:Repository")
    assert sorted(each.name for each in repositories) == ["serving", "training"]
    for each in repositories:
        assert each.inputs["imageTagMutability"] == "IMMUTABLE"
        assert each.inputs["imageScanningConfiguration"] == {"scanOnPush": True}
        assert each.inputs["encryptionConfigurations"] == [
            {"encryptionType": "KMS", "kmsKey": "arn:aws:made-up:::data"}
        ]
        assert program.one("aws:ecr/lifecyclePolicy:LifecyclePolicy", each.name)


def test_a_tagged_image_expires_only_behind_hundreds_of_newer_ones() -> None:
    untagged, counted = lifecycle_policy()["rules"]
    assert untagged["selection"] == {
        "tagStatus": "untagged",
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": 7,
    }
    # ECR applies a rule for any image last: its priority is the highest number.
    assert counted["rulePriority"] == 2
    assert counted["selection"]["countNumber"] >= 100  # pyright: ignore
