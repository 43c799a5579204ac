"""IAM decides, over the wire, as on AWS: who may, who may not, and in which words."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

pytestmark = pytest.mark.slow

Client = Callable[[str], Any]


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]})


def error_of(error: ClientError) -> Any:
    return error.response.get("Error")


def clients(account: Any, variables: dict[str, str]) -> Client:
    """Makes clients of a session."""
    session: Any = boto3.Session(
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=variables.get("AWS_SESSION_TOKEN"),
        region_name="eu-west-1",
    )
    config = Config(retries={"total_max_attempts": 1})
    return lambda service: session.client(service, endpoint_url=account.rehearsal.endpoint_url, config=config)


@pytest.fixture
def as_role(account: Any) -> Callable[..., Client]:
    """Makes a role with those statements, and clients of a session of it."""

    def make(*statements: dict[str, Any], name: str = "reader", **members: Any) -> Client:
        trust = policy({"Action": "sts:AssumeRole", "Principal": {"Service": "sagemaker.amazonaws.com"}})
        iam = account.client("iam")
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **members)["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="permissions", PolicyDocument=policy(*statements))
        return clients(account, account.rehearsal.session(role, "eu-west-1"))

    return make


def test_a_role_reads_its_folder_and_nothing_else(account: Any, as_role: Callable[..., Client]) -> None:
    bucket = account.bucket()
    account.client("s3").put_object(Bucket=bucket, Key="mine/a b+c", Body=b"1")
    arn = f"arn:aws:s3:::{bucket}"
    mine = {"Action": "s3:GetObject", "Resource": f"{arn}/mine/*"}
    listing = {"Action": "s3:ListBucket", "Resource": arn, "Condition": {"StringLike": {"s3:prefix": "mine/*"}}}
    s3 = as_role(mine, listing)("s3")
    assert s3.get_object(Bucket=bucket, Key="mine/a b+c")["Body"].read() == b"1"
    assert s3.list_objects_v2(Bucket=bucket, Prefix="mine/")["KeyCount"] == 1
    with pytest.raises(ClientError) as refused:
        s3.list_objects_v2(Bucket=bucket, Prefix="other/")
    session = f"arn:aws:sts::{account.account_id}:assumed-role/reader/rehearsal"
    assert error_of(refused.value) == {
        "Code": "AccessDenied",
        "Message": f"User: {session} is not authorized to perform: s3:ListBucket on resource: {arn} "
        "because no identity-based policy allows the s3:ListBucket action",
    }
    for call in (
        lambda: s3.get_object(Bucket=bucket, Key="other/a"),
        lambda: s3.put_object(Bucket=bucket, Key="mine/b", Body=b""),
        lambda: s3.create_multipart_upload(Bucket=bucket, Key="mine/b"),
        lambda: s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "mine/a b+c"}]}),
        lambda: s3.copy_object(Bucket=bucket, Key="mine/d", CopySource={"Bucket": bucket, "Key": "mine/a b+c"}),
        s3.list_buckets,
    ):
        with pytest.raises(ClientError, match="not authorized to perform"):
            call()


@pytest.mark.parametrize(
    ("service", "call", "code"),
    [
        ("ec2", lambda client: client.describe_vpcs(), "UnauthorizedOperation"),
        ("iam", lambda client: client.create_user(UserName="z"), "AccessDenied"),
        ("sagemaker", lambda client: client.list_endpoints(), "AccessDeniedException"),
        (
            "sagemaker-runtime",
            lambda client: client.invoke_endpoint(EndpointName="e", Body=b""),
            "AccessDeniedException",
        ),
        ("sns", lambda client: client.create_topic(Name="t"), "AuthorizationError"),
        ("sqs", lambda client: client.create_queue(QueueName="q"), "AccessDeniedException"),
        ("glue", lambda client: client.get_databases(), "AccessDeniedException"),
    ],
)
def test_every_protocol_has_its_own_words(
    account: Any, as_role: Callable[..., Client], service: str, call: Callable[[Any], Any], code: str
) -> None:
    client = as_role({"Action": "s3:GetObject", "Resource": "*"})(service)
    with pytest.raises(ClientError, match="is not authorized to perform: ") as refused:
        call(client)
    assert error_of(refused.value)["Code"] == code


def test_a_key_is_used_by_whom_its_own_policy_lets(account: Any, as_role: Callable[..., Client]) -> None:
    use = {"Action": ["kms:Encrypt", "kms:Decrypt"], "Resource": "*"}
    kms = account.client("kms")
    role = f"arn:aws:iam::{account.account_id}:role/reader"
    root = f"arn:aws:iam::{account.account_id}:root"
    as_reader = as_role(use)("kms")
    delegated = kms.create_key(Policy=policy({"Action": "kms:*", "Resource": "*", "Principal": {"AWS": root}}))
    denied = kms.create_key(Policy=policy({"Action": "kms:*", "Resource": "*", "Principal": {"AWS": f"{role}-not"}}))
    assert as_reader.encrypt(KeyId=delegated["KeyMetadata"]["KeyId"], Plaintext=b"1")["CiphertextBlob"]
    with pytest.raises(ClientError, match="because no resource-based policy allows the kms:Encrypt action"):
        as_reader.encrypt(KeyId=denied["KeyMetadata"]["KeyId"], Plaintext=b"1")
    with pytest.raises(ClientError, match="because no identity-based policy allows the kms:ScheduleKeyDeletion"):
        as_reader.schedule_key_deletion(KeyId=delegated["KeyMetadata"]["KeyId"])


def test_s3_uses_the_key_of_a_bucket_as_its_caller(account: Any, as_role: Callable[..., Client]) -> None:
    bucket, kms = account.bucket(), account.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    account.client("s3").put_bucket_encryption(
        Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [{**rule, "BucketKeyEnabled": True}]}
    )
    objects = {"Action": ["s3:PutObject", "s3:GetObject"], "Resource": f"arn:aws:s3:::{bucket}/*"}
    through = {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}
    writer = as_role(objects, {"Action": "kms:GenerateDataKey", "Resource": key, "Condition": through})("s3")
    writer.put_object(Bucket=bucket, Key="a", Body=b"1")
    with pytest.raises(ClientError, match="not authorized to perform: kms:Decrypt"):
        writer.get_object(Bucket=bucket, Key="a")


def test_a_boundary_limits_what_a_role_is_given(account: Any, as_role: Callable[..., Client]) -> None:
    limits = account.client("iam").create_policy(
        PolicyName="boundary", PolicyDocument=policy({"Action": "s3:*", "Resource": "*"})
    )["Policy"]["Arn"]
    client = as_role({"Action": ["s3:*", "glue:*"], "Resource": "*"}, PermissionsBoundary=limits)
    assert client("s3").list_buckets()["Buckets"] == []
    with pytest.raises(ClientError, match="because no permissions boundary allows the glue:GetDatabases action"):
        client("glue").get_databases()


def test_a_role_is_passed_to_the_service_it_is_for(account: Any, as_role: Callable[..., Client]) -> None:
    job = account.role()
    create = {"Action": "glue:CreateJob", "Resource": "*"}
    hand_over = {
        "Action": "iam:PassRole",
        "Resource": job,
        "Condition": {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}},
    }
    request = {"Name": "job", "Role": job, "Command": {"Name": "glueetl", "ScriptLocation": "s3://a/b"}}
    as_role(create, hand_over)("glue").create_job(**request)
    with pytest.raises(ClientError, match=f"not authorized to perform: iam:PassRole on resource: {job}"):
        as_role(create, name="without")("glue").create_job(**{**request, "Name": "another"})


def test_a_job_is_refused_a_role_that_does_not_trust_it(account: Any) -> None:
    trust = policy({"Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}})
    role = account.client("iam").create_role(RoleName="stranger", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    with pytest.raises(ClientError, match=r"the trust policy of role .* does not let sagemaker"):
        account.client("sagemaker").create_training_job(
            TrainingJobName="job",
            RoleArn=role,
            AlgorithmSpecification={
                "TrainingImage": "111111111111.dkr.ecr.eu-west-1.amazonaws.com/a:b",
                "TrainingInputMode": "File",
            },
            OutputDataConfig={"S3OutputPath": "s3://a/b"},
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            StoppingCondition={"MaxRuntimeInSeconds": 60},
        )


def test_a_role_is_assumed_by_whom_it_trusts(account: Any) -> None:
    iam, sts = account.client("iam"), account.client("sts")
    root = f"arn:aws:iam::{account.account_id}:root"
    for name, principal in (("ours", {"AWS": root}), ("theirs", {"Service": "glue.amazonaws.com"})):
        iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=policy({"Action": "sts:AssumeRole", "Principal": principal})
        )
    assumed = sts.assume_role(RoleArn=f"arn:aws:iam::{account.account_id}:role/ours", RoleSessionName="me")
    assert assumed["AssumedRoleUser"]["Arn"].endswith("assumed-role/ours/me")
    with pytest.raises(ClientError, match="because no resource-based policy allows the sts:AssumeRole action"):
        sts.assume_role(RoleArn=f"arn:aws:iam::{account.account_id}:role/theirs", RoleSessionName="me")


def token(**claims: Any) -> str:
    parts = ({"alg": "RS256"}, {"iss": "https://id.example.com", "exp": time.time() + 60, **claims})
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in parts), "s"]
    )


def test_an_identity_token_opens_the_role_that_it_is_for(account: Any) -> None:
    iam = account.client("iam")
    provider = iam.create_open_id_connect_provider(
        Url="https://id.example.com", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["0" * 40]
    )["OpenIDConnectProviderArn"]
    condition = {
        "StringEquals": {"id.example.com:sub": "repo:a/b:environment:dev", "id.example.com:aud": "sts.amazonaws.com"}
    }
    trust = policy(
        {"Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": provider}, "Condition": condition}
    )
    role = iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    sts = account.client("sts")

    def assume(**claims: Any) -> Any:
        return sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="ci", WebIdentityToken=token(**claims))

    good = {"sub": "repo:a/b:environment:dev", "aud": "sts.amazonaws.com"}
    assert assume(**good)["AssumedRoleUser"]["Arn"].endswith(":assumed-role/deploy/ci")
    for changed, message in (
        ({"sub": "repo:a/b:environment:production"}, "Not authorized to perform sts:AssumeRoleWithWebIdentity"),
        ({"sub": "repo:fork/b:environment:dev"}, "Not authorized"),
        ({"aud": "someone"}, "Incorrect token audience"),
        ({"iss": "https://evil.example.com"}, "No OpenIDConnect provider found"),
        ({"exp": 1}, "Token expired"),
    ):
        with pytest.raises(ClientError, match=message):
            assume(**{**good, **changed})


def test_a_wrong_key_and_a_wrong_signature_are_told_apart(account: Any) -> None:
    mine = account.environment
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        clients(account, {**mine, "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"})("glue").get_databases()
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        clients(account, {**mine, "AWS_SECRET_ACCESS_KEY": "wrong"})("s3").list_buckets()
