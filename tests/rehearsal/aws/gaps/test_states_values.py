"""Binary members of AWS SDK tasks are base64 on the way in and out, except where one is the whole body."""

import base64
from typing import Any

import botocore.session
import pytest

from rehearsal.aws.gaps.states_values import from_boto, to_boto


def operation(service: str, name: str) -> Any:
    model: Any = botocore.session.get_session().get_service_model(service)
    return model.operation_model(name)


def test_a_binary_parameter_is_decoded() -> None:
    given = {"KeyId": "alias/signing", "Message": base64.b64encode(b"a release").decode(), "MessageType": "RAW"}
    asked = to_boto(given, operation("kms", "Sign").input_shape)
    assert asked == {"KeyId": "alias/signing", "Message": b"a release", "MessageType": "RAW"}


def test_what_is_no_base64_is_said() -> None:
    with pytest.raises(ValueError, match="'a release!' is no base64"):
        to_boto({"Message": "a release!"}, operation("kms", "Sign").input_shape)


def test_a_binary_answer_is_encoded() -> None:
    answer = {"KeyId": "key", "Signature": b"\x30\x45\xff"}
    assert from_boto(answer, operation("kms", "Sign").output_shape) == {"KeyId": "key", "Signature": "MEX/"}


def test_the_body_of_an_object_stays_text() -> None:
    shape = operation("s3", "PutObject").input_shape
    assert to_boto({"Bucket": "b", "Body": "plain text"}, shape) == {"Bucket": "b", "Body": "plain text"}
    assert to_boto({"Bucket": "b", "Body": {"a": 1}}, shape) == {"Bucket": "b", "Body": '{"a":1}'}
