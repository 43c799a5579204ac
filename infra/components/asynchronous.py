"""What makes an endpoint asynchronous: where its answers and failures go, who is told, and what its role may do there.

Requests lie below `async/<model>/requests/` of the capture bucket, answers below `answers/` and `failures/` beside
them: the bucket forgets them with the captured traffic. Callers put requests there and read answers with rights of
their own.
https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-create-endpoint.html
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.components.model_role import listing, objects
from infra.iam import Statement, policy_output, statement
from infra.platform_outputs import PlatformOutputs
from models.schema import Asynchronous
from models.spec import ModelSpec


def asynchronous(spec: ModelSpec, platform: PlatformOutputs) -> Asynchronous | None:
    """The model's settings where they count: an endpoint without instances answers at once, whatever they say."""
    return spec.serving.asynchronous if platform.settings.endpoint.mode == "instance" else None


def async_config(
    spec: ModelSpec, platform: PlatformOutputs, topic: pulumi.Input[str] | None
) -> aws.sagemaker.EndpointConfigurationAsyncInferenceConfigArgs | None:
    """The part of an endpoint configuration; None for an endpoint that answers at once."""
    settings = asynchronous(spec, platform)
    if settings is None:
        return None
    base = pulumi.Output.concat("s3://", platform.buckets["capture"].name, "/", folder(spec))
    return aws.sagemaker.EndpointConfigurationAsyncInferenceConfigArgs(
        client_config=aws.sagemaker.EndpointConfigurationAsyncInferenceConfigClientConfigArgs(
            max_concurrent_invocations_per_instance=settings.max_concurrent
        ),
        output_config=aws.sagemaker.EndpointConfigurationAsyncInferenceConfigOutputConfigArgs(
            s3_output_path=pulumi.Output.concat(base, "answers/"),
            s3_failure_path=pulumi.Output.concat(base, "failures/"),
            kms_key_id=platform.keys.data_arn,
            notification_config=None if topic is None else _told(topic),
        ),
    )


def folder(spec: ModelSpec) -> str:
    """Where requests and answers lie in the capture bucket."""
    return f"async/{spec.name}/"


def async_statements(spec: ModelSpec, platform: PlatformOutputs) -> list[Statement]:
    """What the endpoint's role needs besides: its requests, its answers, its topic."""
    settings = asynchronous(spec, platform)
    if settings is None:
        return []
    capture, below = platform.buckets["capture"], folder(spec)
    statements = [
        objects("Requests", capture, f"{below}requests/", ["s3:GetObject"]),
        objects("Answers", capture, f"{below}answers/", ["s3:AbortMultipartUpload", "s3:PutObject"]),
        objects("Failures", capture, f"{below}failures/", ["s3:AbortMultipartUpload", "s3:PutObject"]),
        listing("ListRequests", capture, [below]),
    ]
    if settings.notify:
        through = {"StringEquals": {"kms:ViaService": [f"sns.{platform.region}.amazonaws.com"]}}
        statements += [
            statement("TellAnswers", ["sns:Publish"], [platform.names.answers_topic_arn(spec.name)]),
            statement("TopicKey", ["kms:Decrypt", "kms:GenerateDataKey"], [platform.keys.messages_arn], through),
        ]
    return statements


@dataclass(frozen=True, kw_only=True)
class AnswersTopicArgs:
    """The model whose answers are told, and the platform."""

    spec: ModelSpec
    platform: PlatformOutputs


class AnswersTopic(pulumi.ComponentResource):
    """The topic of answers and failures; whoever waits for them subscribes."""

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: AnswersTopicArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("drivetrain:model:AnswersTopic", name, None, opts)
        topic = aws.sns.Topic(
            name,
            name=args.platform.names.answers_topic(args.spec.name),
            kms_master_key_id=args.platform.keys.messages_arn,
            opts=pulumi.ResourceOptions(parent=self),
        )
        tls_only = Statement(
            sid="TlsOnly",
            effect="Deny",
            actions=("sns:Publish",),
            resources=(topic.arn,),
            conditions={"Bool": {"aws:SecureTransport": "false"}},
            principals="*",
        )
        policy = aws.sns.TopicPolicy(
            name, arn=topic.arn, policy=policy_output(tls_only), opts=pulumi.ResourceOptions(parent=topic)
        )
        self.arn = policy.arn
        self.register_outputs({"arn": self.arn})


def _told(
    topic: pulumi.Input[str],
) -> aws.sagemaker.EndpointConfigurationAsyncInferenceConfigOutputConfigNotificationConfigArgs:
    return aws.sagemaker.EndpointConfigurationAsyncInferenceConfigOutputConfigNotificationConfigArgs(
        success_topic=topic, error_topic=topic
    )
