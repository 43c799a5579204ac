"""Bucket policies with conditions deny what they deny, and nothing else."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.slow


def statement(bucket: str, **members: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{bucket}/*", **members}


def test_a_policy_that_wants_tls_and_kms(account: Any) -> None:
    s3, bucket = account.client("s3"), account.bucket()
    statements = [
        statement(bucket, Condition={"Bool": {"aws:SecureTransport": "false"}}),
        statement(bucket, Condition={"NumericLessThan": {"s3:TlsVersion": "1.2"}}),
        statement(
            bucket,
            Action="s3:PutObject",
            Condition={"StringNotEqualsIfExists": {"s3:x-amz-server-side-encryption": "aws:kms"}},
        ),
    ]
    statements[2]["Condition"]["Null"] = {"s3:x-amz-server-side-encryption": "false"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    s3.put_object(Bucket=bucket, Key="b", Body=b"1", ServerSideEncryption="aws:kms")
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
        s3.put_object(Bucket=bucket, Key="c", Body=b"1", ServerSideEncryption="AES256")


def test_a_policy_that_denies_a_role_denies_no_other(account: Any) -> None:
    s3, bucket = account.client("s3"), account.bucket()
    policy = {"Version": "2012-10-17", "Statement": [statement(bucket, Principal={"AWS": account.role("outsider")})]}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    assert s3.head_object(Bucket=bucket, Key="a")["ContentLength"] == 1
