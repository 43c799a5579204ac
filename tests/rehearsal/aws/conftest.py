"""One rehearsal server for all tests of this folder; each test works in an account of its own."""

import functools
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from rehearsal import images, server
from rehearsal.aws import archives

REGION = "eu-west-1"
_JOB_SERVICES = ("events.amazonaws.com", "glue.amazonaws.com", "sagemaker.amazonaws.com", "states.amazonaws.com")
_accounts = itertools.count(500_000_000_001)
_making_clients = threading.Lock()


@functools.cache
def _session() -> Any:
    """One session, which reads the services' descriptions once."""
    return boto3.Session()


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Account:
    """Clients of one account of a rehearsal, and what every job needs there."""

    def __init__(self, rehearsal: server.Rehearsal, account_id: str) -> None:
        self.rehearsal = rehearsal
        self.account_id = account_id
        self.environment = rehearsal.environment(account_id, REGION)

    def client(self, service: str) -> Any:
        with _making_clients:
            return _session().client(
                service,
                aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
                region_name=REGION,
                endpoint_url=self.environment["AWS_ENDPOINT_URL"],
                config=Config(retries={"total_max_attempts": 1}),
            )

    def role(self, name: str = "job", *, allowed: str = "*") -> str:
        """A role that the services of jobs may assume, with one action allowed on everything."""
        iam = self.client("iam")
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": list(_JOB_SERVICES)}}
        permission = {"Effect": "Allow", "Action": allowed, "Resource": "*"}
        try:
            arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))["Role"]["Arn"]
        except iam.exceptions.EntityAlreadyExistsException:
            arn = iam.get_role(RoleName=name)["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="permissions", PolicyDocument=_policy(permission))
        return arn

    def bucket(self, purpose: str = "data") -> str:
        name = f"test-{self.account_id}-{purpose}"
        self.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        return name

    def image(self, folder: Path, source: str, *, repository: str = "box", tag: str = "one") -> str:
        """Push an image whose one module `box` is `source`; returns its URI by digest."""
        package = folder / f"{repository}-{tag}"
        package.mkdir(parents=True, exist_ok=True)
        (package / "box.py").write_text(source)
        ecr = self.client("ecr")
        if not any(found["repositoryName"] == repository for found in ecr.describe_repositories()["repositories"]):
            ecr.create_repository(repositoryName=repository, imageTagMutability="IMMUTABLE")
        digest = images.push_layer(
            archives.pack(package, [Path("box.py")]),
            repository=repository,
            tag=tag,
            entrypoint=["python", "-m", "box"],
            variables={"GIT_COMMIT": "abc"},
            environment=self.environment,
        )
        return f"{self.account_id}.dkr.ecr.{REGION}.amazonaws.com/{repository}@{digest}"

    def json_object(self, bucket: str, key: str) -> Any:
        return json.loads(self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())


@pytest.fixture(scope="session")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Rehearsal]:
    # The grace is what a job that leaves by itself has on a busy machine, and what a deaf one takes from the tests.
    started = server.start(tmp_path_factory.mktemp("rehearsal"), stop_grace_s=6.0)
    yield started
    started.stop()


@pytest.fixture
def account(rehearsal: server.Rehearsal) -> Account:
    return Account(rehearsal, str(next(_accounts)))


@pytest.fixture
def other_account(rehearsal: server.Rehearsal) -> Account:
    return Account(rehearsal, str(next(_accounts)))


@pytest.fixture
def account_of() -> Callable[[server.Rehearsal], Account]:
    """An account of a rehearsal that the test itself started."""
    return lambda started: Account(started, str(next(_accounts)))


@pytest.fixture
def eventually() -> Callable[..., Any]:
    return wait_until


def wait_until(look: Callable[[], Any], *, seconds: float = 60.0) -> Any:
    """The first true answer of `look`; fails after `seconds`."""
    pause = threading.Event()
    for _ in range(int(seconds * 10)):
        found = look()
        if found:
            return found
        pause.wait(0.1)
    raise AssertionError(f"not so after {seconds} s: {look}")
