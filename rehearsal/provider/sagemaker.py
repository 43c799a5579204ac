"""SageMaker's registry and models: model package groups, their policies, models."""

from rehearsal.provider.handler import AutoName, AwsClients, Created, Properties, ResourceHandler
from rehearsal.provider.service import ServiceHandler
from rehearsal.provider.shapes import Spelling
from rehearsal.provider.tagging import SAGEMAKER


class ModelPackageGroup(ServiceHandler):
    """Where the packages of one model are registered; its id is its name."""

    token = "aws:sagemaker/modelPackageGroup:ModelPackageGroup"
    service = "sagemaker"
    replace_on = frozenset({"modelPackageGroupName", "modelPackageGroupDescription", "region"})
    taggable = True
    tag_calls = SAGEMAKER

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        request = self.params(aws, "CreateModelPackageGroup", inputs, without={"arn"})
        self.send(aws, "CreateModelPackageGroup", {**request, **self.tagged(inputs)})
        return self.created(aws, inputs["modelPackageGroupName"], inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "DescribeModelPackageGroup", {"ModelPackageGroupName": resource_id})
        if answer is None:
            return None
        names = ("ModelPackageGroupName", "ModelPackageGroupDescription")
        kept = {name: answer[name] for name in names if answer.get(name)}
        outputs = self.answered(aws, "DescribeModelPackageGroup", kept)
        return self.outputs(aws, state, outputs, arn=answer["ModelPackageGroupArn"])

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        self.retag(aws, olds, news, self.present(aws, resource_id, news)["arn"])
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteModelPackageGroup", {"ModelPackageGroupName": resource_id})


class ModelPackageGroupPolicy(ServiceHandler):
    """Who may use a group; its id is the group's name."""

    token = "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy"
    service = "sagemaker"
    replace_on = frozenset({"modelPackageGroupName", "region"})
    not_shown = "the policy is kept, never evaluated."

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        name = inputs["modelPackageGroupName"]
        return Created(id=name, outputs=self.update(aws, name, {}, inputs))

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "GetModelPackageGroupPolicy", {"ModelPackageGroupName": resource_id})
        if answer is None:
            return None
        outputs = {"modelPackageGroupName": resource_id, "resourcePolicy": answer["ResourcePolicy"]}
        return self.outputs(aws, state, outputs)

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        self.send(aws, "PutModelPackageGroupPolicy", self.params(aws, "PutModelPackageGroupPolicy", news))
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteModelPackageGroupPolicy", {"ModelPackageGroupName": resource_id})


class Model(ServiceHandler):
    """A model: image, artefact, role, network; nothing but its tags can be changed."""

    token = "aws:sagemaker/model:Model"
    service = "sagemaker"
    autoname = AutoName(name_property="name", max_length=63)
    replace_on = frozenset(
        {
            *("name", "containers", "primaryContainer", "executionRoleArn", "vpcConfig"),
            *("enableNetworkIsolation", "inferenceExecutionConfig", "region"),
        }
    )
    taggable = True
    tag_calls = SAGEMAKER
    spelling = Spelling(
        names={"name": "ModelName", "arn": "ModelArn", "s3DataSources": "S3DataSource"},
        single=frozenset({"s3DataSources"}),
    )
    not_shown = "a served model is a process of this machine: no network isolation, no VPC."

    def create(self, aws: AwsClients, inputs: Properties) -> Created:
        request = self.params(aws, "CreateModel", inputs, without={"arn"})
        self.send(aws, "CreateModel", {**request, **self.tagged(inputs)})
        return self.created(aws, inputs["name"], inputs)

    def read(self, aws: AwsClients, resource_id: str, state: Properties) -> Properties | None:
        answer = self.ask(aws, "DescribeModel", {"ModelName": resource_id})
        if answer is None:
            return None
        outputs = self.answered(aws, "DescribeModel", answer)
        for name in ("creationTime", "responseMetadata", "deploymentRecommendation"):
            outputs.pop(name, None)
        return self.outputs(aws, state, outputs, arn=outputs["arn"])

    def update(self, aws: AwsClients, resource_id: str, olds: Properties, news: Properties) -> Properties:
        self.retag(aws, olds, news, self.present(aws, resource_id, news)["arn"])
        return self.present(aws, resource_id, news)

    def delete(self, aws: AwsClients, resource_id: str, state: Properties) -> None:
        self.ask(aws, "DeleteModel", {"ModelName": resource_id})


HANDLERS: tuple[ResourceHandler, ...] = (ModelPackageGroup(), ModelPackageGroupPolicy(), Model())
