from typing import Any

import pytest

from delivery.cost import before_and_after, estimate
from delivery.cost.prices import PriceTable, load_prices
from delivery.cost.resources import CONFIGURATION, PROVIDER, SCALING_TARGET, TOPIC, Declared
from delivery.pulumi.preview import Preview, PreviewStep

ENDPOINT = "urn:pulumi:s::p::drivetrain:model:Endpoint::mpg"
SCALING = "urn:pulumi:s::p::drivetrain:model:Endpoint$drivetrain:model:Autoscaling::mpg-scaling"


@pytest.fixture(scope="module")
def table() -> PriceTable:
    return load_prices()


def declared(type_: str, name: str = "x", parent: str = "", **inputs: Any) -> Declared:
    return Declared(urn=f"urn:pulumi:s::p::{type_}::{name}", type=type_, name=name, inputs=inputs, parent=parent)


def configuration(count: int = 2, instance_type: str = "ml.m5.large", **more: Any) -> Declared:
    variant = {"instanceType": instance_type, "initialInstanceCount": count, **more}
    return declared(CONFIGURATION, "mpg", ENDPOINT, productionVariants=[variant])


PROVIDED = declared(PROVIDER, region="eu-west-1")


def test_an_endpoint_costs_its_instances_by_the_hour(table: PriceTable) -> None:
    found = estimate([PROVIDED, configuration()], table)
    assert found.to_json()["per_hour"] == {"least": 0.256, "most": 0.256}
    assert found.to_json()["per_month"] == {"least": 186.88, "most": 186.88}
    assert (found.region, found.oldest) == ("eu-west-1", "2023-12-31")


def test_autoscaling_makes_a_range_of_it(table: PriceTable) -> None:
    component = Declared(urn=SCALING, type="drivetrain:model:Autoscaling", name="mpg-scaling", parent=ENDPOINT)
    target = declared(SCALING_TARGET, "mpg-scaling", SCALING, minCapacity=1, maxCapacity=4)
    other = declared(SCALING_TARGET, "other", "urn:pulumi:s::p::drivetrain:model:Endpoint::other", maxCapacity=9)
    found = estimate([PROVIDED, configuration(), other, component, target], table)
    assert found.to_json()["per_month"] == {"least": 93.44, "most": 373.76}


def test_serverless_is_paid_by_use(table: PriceTable) -> None:
    found = estimate([PROVIDED, configuration(serverlessConfig={"memorySizeInMb": 2048})], table)
    assert found.most == 0
    assert found.usage == ((CONFIGURATION, "memory and time of each request; nothing while there is none"),)


def test_a_price_that_is_not_known_is_said_and_not_guessed(table: PriceTable) -> None:
    found = estimate([PROVIDED, configuration(instance_type="ml.p5.48xlarge")], table)
    assert found.most == 0
    assert found.unknown == (
        "mpg: sagemaker.hosting.ml.p5.48xlarge in eu-west-1 is not in the price table",
        "mpg: sagemaker.transform.ml.p5.48xlarge in eu-west-1 is not in the price table",
    )
    elsewhere = estimate([declared(PROVIDER, region="us-east-1"), configuration(), declared("aws:kms/key:Key")], table)
    assert elsewhere.unknown == (
        "mpg: sagemaker.hosting.ml.m5.large in us-east-1 is not in the price table",
        "mpg: sagemaker.transform.ml.m5.large in us-east-1 is not in the price table",
    )
    assert elsewhere.least == 1


def test_a_type_that_the_table_does_not_know_is_said(table: PriceTable) -> None:
    found = estimate([declared("aws:rds/cluster:Cluster"), declared("drivetrain:model:Endpoint")], table)
    assert found.unknown == ("aws:rds/cluster:Cluster: not in the price table",)


def test_what_only_aws_will_say_is_said(table: PriceTable) -> None:
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    endpoint = declared("aws:ec2/vpcEndpoint:VpcEndpoint", vpcEndpointType="Interface", subnetIds=unknown)
    found = estimate([PROVIDED, endpoint], table)
    assert found.unknown == ("x: how many of vpc.interface-endpoint-zone is known only after the deploy",)


@pytest.mark.parametrize(
    ("resource", "month"),
    [
        (declared("aws:kms/key:Key"), 1.0),
        (declared("aws:cloudwatch/dashboard:Dashboard"), 3.0),
        (declared("aws:secretsmanager/secret:Secret"), 0.4),
        (declared("aws:cloudwatch/metricAlarm:MetricAlarm", metricName="CPU"), 0.1),
        (
            declared(
                "aws:cloudwatch/metricAlarm:MetricAlarm",
                metricQueries=[{"expression": "a/b"}, {"id": "a", "metric": {"n": 1}}, {"id": "b", "metric": {"n": 2}}],
            ),
            0.2,
        ),
        (declared("aws:ec2/vpcEndpoint:VpcEndpoint", vpcEndpointType="Gateway"), 0.0),
        (declared("aws:ec2/vpcEndpoint:VpcEndpoint", vpcEndpointType="Interface", subnetIds=["a", "b"]), 16.06),
        (declared("aws:iam/role:Role"), 0.0),
    ],
)
def test_what_stands_is_paid_by_the_month(table: PriceTable, resource: Declared, month: float) -> None:
    found = estimate([PROVIDED, resource], table)
    assert round(found.most, 2) == month
    assert found.unknown == ()


def test_a_preview_holds_what_is_and_what_will_be(table: PriceTable) -> None:
    def step(op: Any, name: str, old: int | None, new: int | None) -> PreviewStep:
        def inputs(count: int | None) -> dict[str, Any]:
            return {"productionVariants": [{"instanceType": "ml.m5.large", "initialInstanceCount": count}]}

        urn = f"urn:pulumi:s::p::{CONFIGURATION}::{name}"
        return PreviewStep(
            op=op, urn=urn, type=CONFIGURATION, name=name, old_inputs=inputs(old), new_inputs=inputs(new)
        )

    steps = (
        step("create", "a", None, 1),
        step("replace", "b", 1, 3),
        step("delete", "c", 2, None),
        step("refresh", "d", 1, 1),
        step("update", "d", 1, 2),
    )
    before, after = before_and_after(Preview(steps=steps, change_summary={}), table, "eu-west-1")
    assert round(before.least / 93.44) == 4
    assert round(after.least / 93.44) == 6


def test_a_transform_job_is_paid_by_the_hour_and_in_no_sum(table: PriceTable) -> None:
    with_jobs = estimate([PROVIDED, configuration(count=1)], table)
    (job,) = with_jobs.on_demand
    assert (job.name, job.key, job.usd, job.per) == ("mpg", "sagemaker.transform.ml.m5.large", 0.128, "hour")
    assert with_jobs.to_json()["on_demand"][0]["what"] == "a transform job"
    assert with_jobs.to_json()["per_hour"] == {"least": 0.128, "most": 0.128}


def test_a_serverless_model_is_transformed_on_the_machine_of_its_specification(table: PriceTable) -> None:
    serverless = declared(
        CONFIGURATION, "x", ENDPOINT, productionVariants=[{"serverlessConfig": {"memorySizeInMb": 2048}}]
    )
    assert estimate([PROVIDED, serverless], table).on_demand == ()
    (job,) = estimate([PROVIDED, serverless], table, machines={"mpg": "ml.m5.xlarge"}).on_demand
    assert (job.key, job.usd) == ("sagemaker.transform.ml.m5.xlarge", 0.257)


def test_a_transform_job_without_a_price_is_said(table: PriceTable) -> None:
    found = estimate([PROVIDED, configuration(instance_type="ml.g5.12xlarge")], table)
    assert found.on_demand == ()
    assert found.unknown == ("mpg: sagemaker.transform.ml.g5.12xlarge in eu-west-1 is not in the price table",)


def test_an_asynchronous_endpoint_costs_its_instances_and_each_request_its_way_through_s3(table: PriceTable) -> None:
    answers_at_once = configuration()
    inputs = {**answers_at_once.inputs, "asyncInferenceConfig": {"outputConfig": {"s3OutputPath": "s3://b/a/"}}}
    found = estimate([PROVIDED, declared(CONFIGURATION, "mpg", ENDPOINT, **inputs)], table)
    assert found.to_json()["per_hour"] == estimate([PROVIDED, answers_at_once], table).to_json()["per_hour"]
    by_request = {each.key: (each.usd, each.per) for each in found.on_demand if "asynchronous" in each.what}
    assert by_request == {"s3.write": (10.0, "million"), "s3.read": (0.8, "million")}


def test_what_asking_for_an_answer_again_and_again_reads_comes_on_top(table: PriceTable) -> None:
    configured = declared(CONFIGURATION, "mpg", ENDPOINT, asyncInferenceConfig={"outputConfig": {}})
    (read,) = [each for each in estimate([PROVIDED, configured], table).on_demand if each.key == "s3.read"]
    assert read.what == "asynchronous requests at least: each look for an answer that is not there yet is another read"


def test_what_is_unknown_of_uses_is_told_apart_from_what_the_sum_lacks(table: PriceTable) -> None:
    found = estimate([PROVIDED, configuration(instance_type="ml.p5.48xlarge")], table)
    hosting, transform = found.unknown
    assert "hosting" in hosting
    assert found.unknown_uses == (transform,)


def test_a_topic_costs_its_messages(table: PriceTable) -> None:
    found = estimate([PROVIDED, declared(TOPIC, "mpg-answers")], table)
    (messages,) = found.on_demand
    assert (messages.name, messages.usd, messages.per) == ("mpg-answers", 0.5, "million")
    assert (found.most, found.usage, found.unknown) == (0, (), ())
