"""An asynchronous endpoint is asked by way of S3, and its refusals are the container's own words."""

import io
from typing import Any

import pytest
from botocore.exceptions import ClientError

from delivery.acceptance.asking import Asker
from delivery.endpoints import asynchronous
from delivery.endpoints.asynchronous import STATUSES, AsyncAsker, AsyncRuntime, NoAnswerError
from serving.page.refusals import ELSEWHERE, REFUSALS


class Cloud:
    """S3 and SageMaker's runtime in one: `answer` and `failure` lie there after some looks."""

    def __init__(
        self, *, answer: bytes | None = None, failure: bytes | None = None, looks: int = 3, refusal: str = ""
    ) -> None:
        self.kept = {"answers/1.out": answer, "failures/1-error.out": failure}
        self.looks = looks
        self.refusal = refusal
        self.put: dict[str, bytes] = {}
        self.asked: dict[str, Any] = {}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:
        self.put[f"s3://{Bucket}/{Key}"] = Body

    def invoke_endpoint_async(self, **request: Any) -> dict[str, str]:
        self.asked = request
        return {"OutputLocation": "s3://b/answers/1.out", "FailureLocation": "s3://b/failures/1-error.out"}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        self.looks -= 1
        content = self.kept[Key]
        if content is None or self.looks > 0:
            code = "AccessDenied" if self.refusal else "NoSuchKey"
            raise ClientError({"Error": {"Code": code, "Message": self.refusal}}, "GetObject")
        return {"Body": io.BytesIO(content)}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asynchronous, "_POLL_S", 0)


def asker_of(cloud: Cloud, wait_s: float = 60) -> AsyncAsker:
    anything: Any = cloud
    return AsyncAsker(runtime=anything, s3=anything, endpoint="cars", bucket="capture", model="auto-mpg", wait_s=wait_s)


def test_the_answer_is_waited_for() -> None:
    cloud = Cloud(answer=b"20.5\n")
    reply = asker_of(cloud).ask(b"1,2", "text/csv", "text/csv")
    assert (reply.failed, reply.body) == (False, b"20.5\n")
    ((uri, content),) = cloud.put.items()
    assert (cloud.asked["InputLocation"], content) == (uri, b"1,2")
    assert uri.startswith("s3://capture/async/auto-mpg/requests/")
    assert uri.endswith(".csv")


@pytest.mark.parametrize(
    ("kind", "ending"), [("image/png", ".png"), ("image/jpeg", ".jpg"), ("application/x-npy", ".bin")]
)
def test_a_picture_is_sent_as_what_it_is(kind: str, ending: str) -> None:
    cloud = Cloud(answer=b"{}")
    asker_of(cloud).ask(b"\x89PNG", kind, "application/json")
    ((uri, content),) = cloud.put.items()
    assert (content, cloud.asked["ContentType"], cloud.asked["InputLocation"]) == (b"\x89PNG", kind, uri)
    assert uri.endswith(ending)


def test_who_waits_too_long_is_told_where_the_answer_will_lie() -> None:
    with pytest.raises(NoAnswerError, match=r"cars did not answer in 0 s; the answer will be s3://b/answers/1\.out"):
        asker_of(Cloud(), wait_s=0).ask(b"", "text/csv", "text/csv")


NOT_LISTED = "User: me is not authorized to perform: s3:ListBucket on resource: b"
NOT_READ = 'User: me is not authorized to perform: s3:GetObject on resource: "b/answers/1.out"'


@pytest.mark.parametrize("refusal", ["Access Denied", NOT_LISTED])
def test_who_may_not_list_the_bucket_waits_and_is_told_the_rights_in_the_end(refusal: str) -> None:
    assert asker_of(Cloud(answer=b"20.5", refusal=refusal)).ask(b"", "text/csv", "text/csv").body == b"20.5"
    with pytest.raises(NoAnswerError, match=r"did not answer in 0 s.*S3 refused to read .*s3:ListBucket.*s3:GetObject"):
        asker_of(Cloud(refusal=refusal), wait_s=0.05).ask(b"", "text/csv", "text/csv")


def test_who_may_not_read_the_answer_is_told_so_at_once() -> None:
    with pytest.raises(NoAnswerError, match=r"the answer of endpoint cars cannot be read: .*s3:GetObject"):
        asker_of(Cloud(refusal=NOT_READ), wait_s=3600).ask(b"", "text/csv", "text/csv")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b'{"error": {"code": "unsupported_content_type", "message": "no"}}', 415),
        (b'{"error": {"code": "missing_field", "message": "no"}}', 400),
        (b'{"error": {"code": "overloaded", "message": "no"}}', 503),
        (b'{"error": {"code": "internal", "message": "no"}}', 500),
        (b'{"error": {"code": "of_tomorrow", "message": "no"}}', 500),
        (b"the container does not answer", 500),
    ],
)
def test_a_refusal_has_the_status_that_its_code_stands_for(said: bytes, status: int) -> None:
    reply = Asker(runtime=AsyncRuntime(asker_of(Cloud(failure=said))), endpoint="cars").ask("{}")
    assert (reply.status, reply.body) == (status, said.decode())


def test_the_table_of_statuses_is_the_containers() -> None:
    inside = {code: status for status, (_, codes) in REFUSALS.items() for code in codes}
    assert inside | {code: status for status, (_, code) in ELSEWHERE.items()} == STATUSES


def test_an_answer_looks_like_one_of_invoke_endpoint() -> None:
    asker = Asker(runtime=AsyncRuntime(asker_of(Cloud(answer=b'{"predictions": [20.5]}'))), endpoint="cars")
    assert asker.predict([{"weight": 1}]).predictions == [20.5]
