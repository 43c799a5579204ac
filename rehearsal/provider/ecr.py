"""ECR: repositories and their lifecycle policies."""

import json
from typing import Any

from rehearsal.provider.handler import AutoName, AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.service import ServiceHandler, changed
from rehearsal.provider.shapes import Spelling
from rehearsal.provider.tagging import ECR


class Repository(ServiceHandler):
    """A repository; encryption is fixed at birth, mutability and scanning are not."""

    token = "aws:ecr/repository:Repository"
    service = "ecr"
    autoname = AutoName(name_property="name", max_length=256)
    replace_on = frozenset({"name", "encryptionConfigurations", "region"})
    taggable = True
    tag_calls = ECR
    local = frozenset({"forceDelete"})
    dropped = frozenset({"imageTagMutabilityExclusionFilters"})
    spelling = Spelling(
        names={
            "name": "repositoryName",
            "encryptionConfigurations": "encryptionConfiguration",
            "arn": "repositoryArn",
            "repositoryUrl": "repositoryUri",
        },
        single=frozenset({"encryptionConfigurations"}),
    )
    not_shown = "images hold source files only, nothing is scanned."

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        request = {"imageTagMutability": "MUTABLE", **self.params(aws, "CreateRepository", inputs)}
        self.send(aws, "CreateRepository", {**request, **self.tagged(inputs, "tags")})
        return self.created(aws, inputs["name"], inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "DescribeRepositories", {"repositoryNames": [resource_id]})
        if answer is None:
            return None
        (repository,) = self.answered(aws, "DescribeRepositories", {"repositories": answer["repositories"]})[
            "repositories"
        ]
        repository.pop("createdAt", None)
        return self.outputs(aws, state, repository, arn=repository["arn"])

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        names = changed(olds, news)
        if names & {"imageTagMutability", "imageTagMutabilityExclusionFilters"}:
            chosen = {"imageTagMutability": news.get("imageTagMutability", "MUTABLE")}
            if filters := news.get("imageTagMutabilityExclusionFilters"):
                chosen["imageTagMutabilityExclusionFilters"] = filters
            request = self.params(aws, "PutImageTagMutability", chosen)
            self.send(aws, "PutImageTagMutability", {"repositoryName": resource_id, **request})
        if "imageScanningConfiguration" in names:
            scanning: dict[str, Any] = news.get("imageScanningConfiguration") or {"scanOnPush": False}
            request = {"repositoryName": resource_id, "imageScanningConfiguration": scanning}
            self.send(aws, "PutImageScanningConfiguration", request)
        self.retag(aws, olds, news, f"arn:aws:ecr:{aws.region}:{aws.account_id}:repository/{resource_id}")
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        request = {"repositoryName": resource_id, "force": bool(state.get("forceDelete", False))}
        self.ask(aws, "DeleteRepository", request)


class LifecyclePolicy(ServiceHandler):
    """The lifecycle policy of one repository, whose name is its id."""

    token = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
    service = "ecr"
    replace_on = frozenset({"repository", "policy", "region"})
    delete_before_replace = True
    not_shown = "no image ever expires."

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        text = json.dumps(json.loads(inputs["policy"]), separators=(",", ":"))
        request = {"repositoryName": inputs["repository"], "lifecyclePolicyText": text}
        self.send(aws, "PutLifecyclePolicy", request)
        return self.created(aws, inputs["repository"], inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "GetLifecyclePolicy", {"repositoryName": resource_id})
        if answer is None:
            return None
        outputs = {
            "policy": answer["lifecyclePolicyText"],
            "repository": answer["repositoryName"],
            "registryId": answer["registryId"],
        }
        return self.outputs(aws, state, outputs)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteLifecyclePolicy", {"repositoryName": resource_id})


HANDLERS: tuple[ResourceHandler, ...] = (Repository(), LifecyclePolicy())
