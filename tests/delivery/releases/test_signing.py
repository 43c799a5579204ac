"""Signatures are made and checked by the key behind the alias, and by no other."""

import functools
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from delivery.releases.signing import SigningError, SigningKey


@functools.cache
def _session() -> Any:
    """Reads the services' descriptions once."""
    return boto3.Session(region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = _session().client("kms")
        for alias in ("dev", "other"):
            key = client.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
            client.create_alias(AliasName=f"alias/{alias}", TargetKeyId=key)
        yield client


def test_a_signature_is_of_one_message_and_by_one_key(kms: Any) -> None:
    dev, other = SigningKey(client=kms, alias="dev"), SigningKey(client=kms, alias="other")
    signature = dev.sign(b"a release")
    assert dev.verifies(b"a release", signature)
    assert not dev.verifies(b"another", signature)
    assert not other.verifies(b"a release", signature)
    assert not dev.verifies(b"a release", b"")
    assert not dev.verifies(b"", signature)


def test_cosign_is_told_of_the_key_by_its_alias(kms: Any) -> None:
    assert SigningKey(client=kms, alias="dev").cosign_reference == "awskms:///alias/dev"


def test_without_the_key_it_is_said_what_makes_it(kms: Any) -> None:
    missing = SigningKey(client=kms, alias="nobody")
    with pytest.raises(SigningError, match=r"alias/nobody cannot be used .* `drivetrain bootstrap` makes it"):
        missing.sign(b"a release")
    with pytest.raises(SigningError, match="alias/nobody"):
        missing.verifies(b"a release", b"signature")


@pytest.mark.parametrize("message", [b"", b"x" * 4097])
def test_kms_takes_no_empty_and_no_long_message(kms: Any, message: bytes) -> None:
    with pytest.raises(ValueError, match="1 to 4096 bytes"):
        SigningKey(client=kms, alias="dev").sign(message)


class _Refusing:
    """KMS as it is on AWS, where a wrong signature is an error."""

    def verify(self, **request: Any) -> Any:
        raise ClientError({"Error": {"Code": "KMSInvalidSignatureException", "Message": ""}}, "Verify")


def test_an_invalid_signature_is_no_error() -> None:
    client: Any = _Refusing()
    assert not SigningKey(client=client, alias="dev").verifies(b"a release", b"signature")
