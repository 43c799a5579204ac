"""aws-actions/configure-aws-credentials: a token as GitHub's OIDC provider would make it, exchanged at STS.

The token's `sub` is what GitHub writes: the job's environment where it has one, else the pull request or the branch.
The signature is a stand-in's; the rehearsal's STS checks issuer, subject and audience against the role's trust policy.
"""

import base64
import configparser
import hashlib
import hmac
import json
import os
import time
from pathlib import Path

import boto3
import job
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

_ISSUER = "https://token.actions.githubusercontent.com"


def configure(inputs: dict[str, str]) -> None:
    """Assume the role, and give its credentials to the steps that follow, or to one profile."""
    job.permitted("id-token", "write")
    for name in ("aws-region", "role-to-assume"):
        if not inputs[name]:
            job.fail(f"Input required and not supplied: {name}")
    role = inputs["role-to-assume"]
    sts = boto3.client("sts", region_name=inputs["aws-region"], config=Config(signature_version=UNSIGNED))
    session = inputs["role-session-name"] or "GitHubActions"
    try:
        answer = sts.assume_role_with_web_identity(
            RoleArn=role, RoleSessionName=session, WebIdentityToken=_token(inputs["audience"])
        )
    except ClientError as error:
        job.fail(f"Could not assume role with OIDC: {error}")
    account = role.split(":")[4]
    allowed = [each.strip() for each in inputs["allowed-account-ids"].split(",") if each.strip()]
    if allowed and account not in allowed:
        job.fail(f"The account ID of the provided credentials ({account}) is not among {allowed}")
    given = answer["Credentials"]
    keys = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
    if inputs["aws-profile"]:
        _write_profile(inputs["aws-profile"], {**keys, "region": inputs["aws-region"]})
    else:
        for name, value in keys.items():
            print(f"::add-mask::{value}")
            job.variable(name.upper(), value)
        job.variable("AWS_REGION", inputs["aws-region"])
        job.variable("AWS_DEFAULT_REGION", inputs["aws-region"])
    print(f"assumed {role} as {_subject()}")
    job.output("aws-account-id", account)


def _subject() -> str:
    repository, environment = os.environ["GITHUB_REPOSITORY"], os.environ.get("REHEARSED_ENVIRONMENT")
    if environment:
        return f"repo:{repository}:environment:{environment}"
    if os.environ["GITHUB_EVENT_NAME"] == "pull_request":
        return f"repo:{repository}:pull_request"
    return f"repo:{repository}:ref:{os.environ['GITHUB_REF']}"


def _token(audience: str) -> str:
    now = int(time.time())
    claims = {
        "iss": _ISSUER,
        "aud": audience,
        "sub": _subject(),
        "repository": os.environ["GITHUB_REPOSITORY"],
        "ref": os.environ["GITHUB_REF"],
        "sha": os.environ["GITHUB_SHA"],
        "event_name": os.environ["GITHUB_EVENT_NAME"],
        "run_id": os.environ["GITHUB_RUN_ID"],
        "iat": now,
        "nbf": now,
        "exp": now + 300,
    }
    head = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims)}"
    return f"{head}.{_encoded(hmac.new(b'rehearsed', head.encode(), hashlib.sha256).digest())}"


def _part(document: dict[str, object]) -> str:
    return _encoded(json.dumps(document).encode())


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _write_profile(name: str, content: dict[str, str]) -> None:
    file = Path(os.environ["RUNNER_TEMP"], "aws-credentials")
    profiles = configparser.ConfigParser()
    profiles.read(file)
    profiles[name] = content
    with file.open("w", encoding="utf-8") as opened:
        profiles.write(opened)
    job.variable("AWS_SHARED_CREDENTIALS_FILE", str(file))
