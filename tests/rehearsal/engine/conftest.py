"""A moto server, an account of its own for each test, and small projects to apply to it."""

import itertools
import textwrap
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

Environment = dict[str, str]
_accounts = itertools.count(100000000001)

PROGRAM = """
import json
import pulumi
import pulumi_aws as aws

settings = pulumi.Config("tiny").require_object("settings")
provider = aws.Provider("aws", region="eu-west-1", default_tags={"tags": {"project": "tiny"}})


class Store(pulumi.ComponentResource):
    def __init__(self, name, opts):
        super().__init__("tiny:data:Store", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.key = aws.kms.Key("key", enable_key_rotation=True, deletion_window_in_days=7, opts=child)
        self.bucket = aws.s3.Bucket("data", tags={"layer": "raw"}, force_destroy=True, opts=child)
        default = {"sse_algorithm": "aws:kms", "kms_master_key_id": self.key.arn}
        aws.s3.BucketServerSideEncryptionConfiguration(
            "data",
            bucket=self.bucket.bucket,
            rules=[{"apply_server_side_encryption_by_default": default, "bucket_key_enabled": True}],
            opts=child,
        )
        self.register_outputs({"bucket": self.bucket.bucket})


store = Store("store", pulumi.ResourceOptions(providers=[provider]))
opts = pulumi.ResourceOptions(provider=provider)
for number in range(settings.get("queues", 2)):
    aws.sqs.Queue(f"queue-{number}", visibility_timeout_seconds=settings.get("timeout", 30), opts=opts)
pulumi.export("bucket", store.bucket.bucket)
pulumi.export("domain", store.bucket.bucket_regional_domain_name)
"""


@pytest.fixture(scope="session")
def moto_url() -> Generator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def environment(moto_url: str) -> Environment:
    account = next(_accounts)
    sts = boto3.client(
        "sts", endpoint_url=moto_url, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    role = f"arn:aws:iam::{account}:role/tests"
    key = sts.assume_role(RoleArn=role, RoleSessionName="tests")["Credentials"]
    return {
        "AWS_ENDPOINT_URL": moto_url,
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        "AWS_SESSION_TOKEN": key["SessionToken"],
    }


@pytest.fixture
def client(environment: Environment) -> Callable[[str], Any]:
    """A client of the test's account, by service."""

    def make(service: str) -> Any:
        connect: Any = boto3.client
        return connect(
            service,
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            region_name="eu-west-1",
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=environment["AWS_SESSION_TOKEN"],
        )

    return make


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Path]:
    """Write a project with that program (again, to change it) and give its folder."""
    folder = tmp_path / "project"

    def write(program: str) -> Path:
        folder.mkdir(exist_ok=True)
        (folder / "Pulumi.yaml").write_text("name: tiny\nruntime: python\n", encoding="utf-8")
        (folder / "Pulumi.local.yaml").write_text(
            "config:\n  tiny:settings: {queues: 2, nested: {a: 1, b: 2}}\n", encoding="utf-8"
        )
        (folder / "__main__.py").write_text(textwrap.dedent(program), encoding="utf-8")
        return folder

    return write


@pytest.fixture
def tiny(project: Callable[[str], Path]) -> Path:
    return project(PROGRAM)


@pytest.fixture
def state_file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "local.json"
