"""The calls that moto lacks and the platform's program needs, through plain boto3."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Client = Callable[[str], Any]
ACCOUNT = "123456789012"


def test_glue_updates_a_job_and_what_is_left_out_goes_back_to_its_default(client: Client) -> None:
    glue = client("glue")
    command = {"Name": "glueetl", "ScriptLocation": "s3://b/1.py"}
    glue.create_job(Name="job", Role="r", Command=command, Timeout=5, DefaultArguments={"--a": "1"})
    glue.update_job(JobName="job", JobUpdate={"Role": "r", "Command": {**command, "ScriptLocation": "s3://b/2.py"}})
    job = glue.get_job(JobName="job")["Job"]
    assert job["Command"]["ScriptLocation"] == "s3://b/2.py"
    assert "Timeout" not in job
    assert not job["DefaultArguments"]
    with pytest.raises(ClientError, match="none"):
        glue.update_job(JobName="none", JobUpdate={"Role": "r", "Command": command})


def test_glue_updates_and_deletes_a_connection(client: Client) -> None:
    glue = client("glue")
    given = {"Name": "net", "ConnectionType": "NETWORK", "ConnectionProperties": {}, "MatchCriteria": ["a"]}
    glue.create_connection(ConnectionInput=given)
    glue.update_connection(Name="net", ConnectionInput={**given, "Description": "new"})
    connection = glue.get_connection(Name="net")["Connection"]
    assert (connection["Description"], connection["ConnectionType"]) == ("new", "NETWORK")
    glue.delete_connection(ConnectionName="net")
    with pytest.raises(glue.exceptions.EntityNotFoundException):
        glue.delete_connection(ConnectionName="net")


def test_athena_updates_only_what_is_named(client: Client) -> None:
    athena = client("athena")
    results = {"OutputLocation": "s3://r/", "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"}}
    configuration = {"ResultConfiguration": results, "BytesScannedCutoffPerQuery": 10000000}
    athena.create_work_group(Name="w", Configuration=configuration)
    updates = {"ResultConfigurationUpdates": {"RemoveEncryptionConfiguration": True}, "RequesterPaysEnabled": True}
    athena.update_work_group(WorkGroup="w", State="DISABLED", ConfigurationUpdates=updates)
    group = athena.get_work_group(WorkGroup="w")["WorkGroup"]
    assert group["State"] == "DISABLED"
    assert group["Configuration"]["ResultConfiguration"] == {"OutputLocation": "s3://r/"}
    assert group["Configuration"]["BytesScannedCutoffPerQuery"] == 10000000
    athena.update_work_group(WorkGroup="w", ConfigurationUpdates={"RemoveBytesScannedCutoffPerQuery": True})
    assert "BytesScannedCutoffPerQuery" not in athena.get_work_group(WorkGroup="w")["WorkGroup"]["Configuration"]
    for call in (athena.get_work_group, athena.update_work_group):
        with pytest.raises(athena.exceptions.InvalidRequestException, match="not found"):
            call(WorkGroup="none")


def test_athena_deletes_a_named_query(client: Client) -> None:
    athena = client("athena")
    query = athena.create_named_query(Name="q", Database="d", QueryString="SELECT 1")["NamedQueryId"]
    athena.delete_named_query(NamedQueryId=query)
    for call in (athena.get_named_query, athena.delete_named_query):
        with pytest.raises(athena.exceptions.InvalidRequestException, match="does not exist"):
            call(NamedQueryId=query)


def test_logs_change_the_key_of_a_group(client: Client) -> None:
    logs = client("logs")
    logs.create_log_group(logGroupName="locked")

    def group() -> dict[str, Any]:
        (found,) = logs.describe_log_groups(logGroupNamePrefix="locked")["logGroups"]
        return found

    logs.associate_kms_key(logGroupName="locked", kmsKeyId="arn:aws:kms:eu-west-1:1:key/k")
    assert group()["kmsKeyId"] == "arn:aws:kms:eu-west-1:1:key/k"
    logs.disassociate_kms_key(logGroupName="locked")
    assert not group().get("kmsKeyId")
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.associate_kms_key(logGroupName="none", kmsKeyId="k")


def test_lake_formation_updates_a_registration(client: Client) -> None:
    formation = client("lakeformation")
    formation.register_resource(ResourceArn="arn:aws:s3:::lake", UseServiceLinkedRole=True)
    assert "AWSServiceRoleForLakeFormation" in _described(formation)["RoleArn"]
    formation.update_resource(
        ResourceArn="arn:aws:s3:::lake", RoleArn="arn:aws:iam::1:role/r", HybridAccessEnabled=True
    )
    assert (_described(formation)["RoleArn"], _described(formation)["HybridAccessEnabled"]) == (
        "arn:aws:iam::1:role/r",
        True,
    )
    with pytest.raises(formation.exceptions.EntityNotFoundException):
        formation.update_resource(ResourceArn="arn:aws:s3:::none", RoleArn="arn:aws:iam::1:role/r")


def _described(formation: Any) -> dict[str, Any]:
    return formation.describe_resource(ResourceArn="arn:aws:s3:::lake")["ResourceInfo"]


def test_sagemaker_groups_have_policies_and_can_be_deleted(client: Client) -> None:
    sagemaker = client("sagemaker")
    group = {"ModelPackageGroupName": "g"}
    sagemaker.create_model_package_group(**group)
    with pytest.raises(ClientError, match="Cannot find resource policy"):
        sagemaker.get_model_package_group_policy(**group)
    sagemaker.put_model_package_group_policy(**group, ResourcePolicy="{}")
    assert sagemaker.get_model_package_group_policy(**group)["ResourcePolicy"] == "{}"
    sagemaker.delete_model_package_group_policy(**group)
    sagemaker.create_model_package(ModelPackageGroupName="g")
    with pytest.raises(ClientError, match="still holds"):
        sagemaker.delete_model_package_group(**group)
    assert sagemaker.describe_model_package_group(**group)["ModelPackageGroupName"] == "g"
    (package,) = sagemaker.list_model_packages(ModelPackageGroupName="g")["ModelPackageSummaryList"]
    sagemaker.delete_model_package(ModelPackageName=package["ModelPackageArn"])
    with pytest.raises(ClientError, match="not found"):
        sagemaker.delete_model_package(ModelPackageName=package["ModelPackageArn"])
    sagemaker.delete_model_package_group(**group)
    assert "g" not in [
        each["ModelPackageGroupName"] for each in sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    ]


def test_sagemaker_keeps_network_isolation(client: Client) -> None:
    sagemaker = client("sagemaker")
    sagemaker.create_model(
        ModelName="m", ExecutionRoleArn="arn:aws:iam::123456789012:role/r", EnableNetworkIsolation=True
    )
    assert sagemaker.describe_model(ModelName="m")["EnableNetworkIsolation"] is True


def test_scaling_targets_have_tags(client: Client) -> None:
    scaling = client("application-autoscaling")
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/e/variant/live",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=2, Tags={"a": "1"})
    # Of this one alone: in a process of several files others may have left targets in moto's account.
    asked = {"ServiceNamespace": "sagemaker", "ResourceIds": [target["ResourceId"]]}
    (registered,) = scaling.describe_scalable_targets(**asked)["ScalableTargets"]
    arn = registered["ScalableTargetARN"]
    scaling.tag_resource(ResourceARN=arn, Tags={"b": "2"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["a"])
    scaling.register_scalable_target(**target, MaxCapacity=3)
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"b": "2"}
    with pytest.raises(scaling.exceptions.ResourceNotFoundException):
        scaling.list_tags_for_resource(ResourceARN=f"{arn}x")


def test_budgets_change_and_say_who_is_told(client: Client) -> None:
    budgets = client("budgets")
    budget = {"BudgetName": "b", "BudgetType": "COST", "TimeUnit": "MONTHLY"}
    limit = {"Amount": "10", "Unit": "USD"}
    budgets.create_budget(
        AccountId=ACCOUNT, Budget={**budget, "BudgetLimit": limit}, ResourceTags=[{"Key": "a", "Value": "1"}]
    )
    budgets.update_budget(AccountId=ACCOUNT, NewBudget={**budget, "BudgetLimit": {**limit, "Amount": "20"}})
    found = budgets.describe_budget(AccountId=ACCOUNT, BudgetName="b")["Budget"]
    assert found["BudgetLimit"]["Amount"] == "20"
    where = {
        "AccountId": ACCOUNT,
        "BudgetName": "b",
        "Notification": {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0},
    }
    subscriber = {"SubscriptionType": "EMAIL", "Address": "someone@example.com"}
    with pytest.raises(budgets.exceptions.NotFoundException):
        budgets.describe_subscribers_for_notification(**where)
    budgets.create_notification(**where, Subscribers=[subscriber])
    assert budgets.describe_subscribers_for_notification(**where)["Subscribers"] == [subscriber]
    arn = f"arn:aws:budgets::{ACCOUNT}:budget/b"
    budgets.tag_resource(ResourceARN=arn, ResourceTags=[{"Key": "b", "Value": "2"}])
    budgets.untag_resource(ResourceARN=arn, ResourceTagKeys=["a"])
    tags = budgets.list_tags_for_resource(ResourceARN=arn)["ResourceTags"]
    assert tags == [{"Key": "b", "Value": "2"}]
    with pytest.raises(budgets.exceptions.NotFoundException):
        budgets.update_budget(AccountId=ACCOUNT, NewBudget={**budget, "BudgetName": "none"})
