"""What a plain boto3 script sees with nothing but `drivetrain local env`: the platform as AWS would show it."""

import json

import pytest

from tests.e2e.checkout import Checkout

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
MODELS = ("auto-mpg", "second-cars")


def test_the_buckets(checkout: Checkout) -> None:
    buckets = {bucket["Name"] for bucket in checkout.client("s3").list_buckets()["Buckets"]}
    purposes = ("landing", "lake", "artifacts", "capture", "query-results", "logs")
    state = "drivetrain-111111111111-eu-west-1-pulumi-state"  # of the bootstrap
    assert buckets == {state, *(f"drivetrain-local-111111111111-{purpose}" for purpose in purposes)}


@pytest.mark.parametrize("model", MODELS)
def test_a_model_folder_has_its_tables(checkout: Checkout, model: str) -> None:
    glue = checkout.client("glue")
    table = model.replace("-", "_")
    for layer in ("curated", "quarantine"):
        database = glue.get_database(Name=checkout.names.database(layer))["Database"]
        found = glue.get_table(DatabaseName=database["Name"], Name=table)["Table"]
        assert found["Parameters"]["table_type"] == "ICEBERG"
        # Lake Formation asks who makes a table for a grant on its place, but not inside the place of its database.
        assert found["StorageDescriptor"]["Location"].startswith(f"{database['LocationUri']}/")


def test_no_job_may_make_tables_wherever_it_likes(checkout: Checkout) -> None:
    granted = checkout.client("lakeformation").list_permissions()["PrincipalResourcePermissions"]
    assert {permission for each in granted for permission in each["Permissions"]} == {"CREATE_TABLE", "DESCRIBE"}


@pytest.mark.parametrize("model", MODELS)
def test_a_model_folder_has_its_pipeline_and_its_history(checkout: Checkout, model: str) -> None:
    states = checkout.client("stepfunctions")
    machine = checkout.names.state_machine_arn(model)
    (execution,) = states.list_executions(stateMachineArn=machine)["executions"]
    assert execution["status"] == "SUCCEEDED"
    history = states.get_execution_history(executionArn=execution["executionArn"])["events"]
    entered = [event["stateEnteredEventDetails"]["name"] for event in history if "stateEnteredEventDetails" in event]
    positions = [entered.index(step) for step in ("Ingest", "Validate", "Train", "Evaluate", "Register")]
    assert positions == sorted(positions)


@pytest.mark.parametrize("model", MODELS)
def test_a_model_folder_has_its_training_job_and_package(checkout: Checkout, model: str) -> None:
    sagemaker = checkout.client("sagemaker")
    jobs = sagemaker.list_training_jobs(NameContains=checkout.names.job_prefix(model))["TrainingJobSummaries"]
    assert [job["TrainingJobStatus"] for job in jobs] == ["Completed"]
    described = sagemaker.describe_training_job(TrainingJobName=jobs[0]["TrainingJobName"])
    assert described["ModelArtifacts"]["S3ModelArtifacts"].endswith("/output/model.tar.gz")
    group = checkout.names.package_group(model)
    (package,) = sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    lineage = sagemaker.describe_model_package(ModelPackageName=package["ModelPackageArn"])[
        "CustomerMetadataProperties"
    ]
    assert lineage.keys() >= {"snapshot", "commit"}


@pytest.mark.parametrize("model", MODELS)
def test_a_model_folder_has_its_roles_and_alarms(checkout: Checkout, model: str) -> None:
    roles = {role["RoleName"] for role in checkout.client("iam").list_roles()["Roles"]}
    for job in ("ingest", "validate", "train", "evaluate", "pipeline", "events", "endpoint"):
        assert checkout.names.role(f"{model}-{job}") in roles
    alarms = checkout.client("cloudwatch").describe_alarms(AlarmNamePrefix=checkout.names.prefix)["MetricAlarms"]
    assert [alarm["AlarmName"] for alarm in alarms if model in alarm["AlarmName"]]


@pytest.mark.parametrize("model", MODELS)
def test_a_released_model_has_its_endpoint(checkout: Checkout, model: str) -> None:
    described = checkout.client("sagemaker").describe_endpoint(EndpointName=checkout.names.endpoint(model))
    assert described["EndpointStatus"] == "InService"
    runtime = checkout.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(
        EndpointName=checkout.names.endpoint(model),
        ContentType="text/csv",
        Accept="application/json",
        Body=b"8,307,130,3504,12,1970,USA",
    )
    (prediction,) = json.loads(answer["Body"].read())["predictions"]
    assert 14 < prediction < 22
