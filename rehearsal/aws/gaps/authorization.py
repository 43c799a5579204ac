"""IAM is enforced: moto's own check of keys and signatures, and in the place of its check of actions a whole one.

moto compares an action with identity policies; resources, conditions, boundaries and resource policies it leaves out.
"""

import json
from typing import Any, Final, cast
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSRequest
from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import AuthFailureError, InvalidClientTokenIdError, SignatureDoesNotMatchError
from moto.core.parse import PROTOCOL_PARSERS  # pyright: ignore[reportUnknownVariableType]
from moto.core.request import determine_request_protocol
from moto.core.responses import BaseResponse
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from moto.iam.access_control import IAMRequestBase
from moto.s3.exceptions import S3ClientError
from werkzeug.exceptions import HTTPException, NotFound

from rehearsal.aws.authorization import calls, principals, web_identity
from rehearsal.aws.authorization.decision import AccessDeniedError
from rehearsal.aws.gaps import replace

NOTES: Final = (
    "IAM is enforced on every call, on by default: signatures, identity policies, permissions boundaries, session "
    "policies, bucket, key, queue, topic, repository and secret policies, `iam:PassRole` of every role that a call "
    "hands over, and trust policies. Only the account's administrator, whom the rehearsal makes, may do everything.",
    "Calls are checked on the resources and with the condition keys that their own parameters name. Tags of resources "
    "(`aws:ResourceTag`) are known of keys, networks and roles. Where in a network a call comes from "
    "(`aws:SourceVpce`, `aws:SourceVpc`) is not known: statements that ask for it do not apply.",
    "Of what AWS services call on behalf of their caller, S3's use of a bucket's KMS key, SageMaker's grant for the "
    "volumes of a job and passed roles are checked. Service control policies, VPC endpoint policies, KMS grants and "
    "Lake Formation's permissions are not evaluated.",
    "What services do with a job's role before its container runs (pulling the image, writing its log) is not checked; "
    "a boundary whose policy does not exist limits nothing, where AWS refuses to make such a role.",
    "The signature of a web identity's token is not verified; its issuer, audience, expiry and the trust policy's "
    "conditions on `aud` and `sub` are.",
)
_CODES: Final = {"ec2": "UnauthorizedOperation", "sns": "AuthorizationError"}
_FORM: Final = "application/x-www-form-urlencoded"
_WEB_IDENTITY: Final = "AssumeRoleWithWebIdentity"


class RefusedError(HTTPException):
    """An answer that moto hands on as it is."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(body)
        self.code = status


def install() -> None:
    """Take over the decision; `enforce` asks for it."""
    replace(ActionAuthenticatorMixin, _authenticate_and_authorize_action=authorize)
    replace(IAMRequestBase, _create_aws_request=signed_request)


def enforce() -> None:
    """Switch moto's enforcement on, from the first call of this process."""
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0


def authorize(self: BaseResponse, iam_request_cls: type, resource: str = "*") -> None:
    """Let the request through, or raise what its caller is answered with."""
    del resource
    if ActionAuthenticatorMixin.request_count < settings.INITIAL_NO_AUTH_ACTION_COUNT:
        ActionAuthenticatorMixin.request_count += 1
        return
    service, operation, parameters = _parsed(self)
    if operation is None:
        return  # moto answers that it does not know the call
    key, region = _scope(self)
    if operation == _WEB_IDENTITY and service == "sts":
        _web_identity(self, parameters, region)
        return
    principal = _authenticated(self, iam_request_cls, key)
    call = calls.Call(
        principal=principal,
        service=_signed_for(self) or service,
        operation=operation,
        parameters=parameters,
        region=region,
        headers={name.lower(): value for name, value in self.headers.items()},
    )
    try:
        calls.check(call)
    except AccessDeniedError as error:
        raise _refusal(self, str(error)) from error


def signed_request(self: Any) -> AWSRequest:
    """The request as its client signed it. moto takes an empty body for an absent one, and signs something else."""
    names = self._get_string_between("SignedHeaders=", ",", self._headers["Authorization"]).split(";")
    headers = {name: value for name, value in self._headers.items() if name.lower() in names}
    # the body of a form was read as its fields
    fields = self._data if str(self._headers.get("Content-Type", "")).startswith(_FORM) else b""
    request = AWSRequest(method=self._method, url=self._path, data=self._body or fields, headers=headers)
    request.context["timestamp"] = headers["X-Amz-Date"]
    return request


def _authenticated(self: BaseResponse, iam_request_cls: Any, key: str | None) -> principals.Principal:
    """Who signed; moto compares the signature. A link signed in advance has none that it could compare."""
    if key is None:
        return principals.ANONYMOUS
    if "Authorization" in self.headers:
        try:
            iam_request_cls(
                account_id=self.current_account,
                method=self.method,
                path=self.raw_path + (f"?{self.parsed_url.query}" if self.parsed_url.query else ""),
                data=self.data,
                body=self.raw_body,
                headers=self.headers,
                action="Any",
            ).check_signature()
        except (SignatureDoesNotMatchError, InvalidClientTokenIdError, AuthFailureError) as error:
            raise _answer(self, error.error_type, error.message, 403) from error
    return principals.of_key(self.current_account, key) or principals.ANONYMOUS


def _web_identity(self: BaseResponse, parameters: dict[str, Any], region: str) -> None:
    try:
        web_identity.check(parameters, region)
    except web_identity.TokenError as error:
        status = 403 if error.code == "AccessDenied" else 400
        raise _answer(self, error.code, str(error), status) from error


def _parsed(self: BaseResponse) -> tuple[str, str | None, dict[str, Any]]:
    """Service, operation and its parameters, by the protocol of the service."""
    request, service = self.normalized_request, self.boto3_service_name
    try:
        operation, in_path = get_service_router(service).match(request)
    except (NotFound, NotImplementedError):
        return service, None, {}
    if service == "s3" and operation.name != "DeleteObjects":
        return service, operation.name, {**in_path, **_s3_query(request)}
    model = get_service_model(service)
    parsers = cast("dict[str, Any]", PROTOCOL_PARSERS)
    parser = parsers[determine_request_protocol(model, request.content_type)](operation)
    parsed: dict[str, Any] = parser.parse(
        {
            "method": request.method,
            "values": request.values,
            "headers": request.headers,
            "body": request.data,
            "url_path": request.path,
            "url_params": in_path,
        }
    )
    return service, operation.name, {**in_path, **parsed}


def _s3_query(request: Any) -> dict[str, str]:
    members = {"prefix": "Prefix", "delimiter": "Delimiter", "max-keys": "MaxKeys", "versionId": "VersionId"}
    return {member: request.args[name] for name, member in members.items() if name in request.args}


def _scope(self: BaseResponse) -> tuple[str | None, str]:
    """The access key that the request names, and the region it is for."""
    parts = _credential(self).split("/")
    return (parts[0] or None, parts[2]) if len(parts) > 2 else (None, self.region)


def _signed_for(self: BaseResponse) -> str | None:
    parts = _credential(self).split("/")
    return parts[3] if len(parts) > 3 else None


def _credential(self: BaseResponse) -> str:
    header = str(self.headers.get("Authorization", ""))
    if header:
        return header.partition("Credential=")[2].partition(",")[0]
    return str(self.normalized_request.args.get("X-Amz-Credential", ""))


def _refusal(self: BaseResponse, message: str) -> Exception:
    """AccessDenied, under the name that the service has for it."""
    service = self.boto3_service_name
    if service == "s3":
        return S3ClientError("AccessDenied", message)
    general = "AccessDeniedException" if _speaks_json(self) else "AccessDenied"
    return _answer(self, _CODES.get(service, general), message, 400 if _speaks_json(self) else 403)


def _answer(self: BaseResponse, code: str, message: str, status: int) -> Exception:
    """An error in the form of the service's protocol."""
    if _speaks_json(self):
        self.response_headers |= {"x-amzn-errortype": code, "content-type": "application/x-amz-json-1.1"}
        return RefusedError(status, json.dumps({"__type": code, "message": message}))
    error = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    whole = f"<ErrorResponse>{error}<RequestId/></ErrorResponse>"
    if self.boto3_service_name == "ec2":
        whole = f"<Response><Errors>{error}</Errors><RequestID/></Response>"
    self.response_headers["content-type"] = "text/xml"
    return RefusedError(status, whole)


def _speaks_json(self: BaseResponse) -> bool:
    return "json" in self.determine_response_protocol(get_service_model(self.boto3_service_name))
