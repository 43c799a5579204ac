"""The WSGI application: everything to moto, `/rehearsal/…` to us.

- `GET /rehearsal/health` → `{"state", "pid"}`
- `POST /rehearsal/credentials {"account_id"}` → an administrator's key of that account
- `POST /rehearsal/session {"role_arn", "region"}` → the `AWS_*` variables that a service gives a job of that role
- `POST /rehearsal/clock {"rate"}` → how many declared seconds of waiting pass in one, from now on
- `GET /rehearsal/endpoints` → one object per serving process: account, endpoint, variant, url, pid, model, status
- `GET /rehearsal/blobs/sha256:…` → the bytes of an image's layer, as ECR's own download addresses give them
"""

import json
import os
import re
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import (  # pyright: ignore[reportMissingTypeStubs]
    DomainDispatcherApplication,
    create_backend_app,
)
from werkzeug.wrappers import Request, Response

from rehearsal.aws import accounts, runtime
from rehearsal.aws.endpoints.registry import running_fleets
from rehearsal.aws.gaps.ecr_layers import BLOBS, blob_path

StartResponse = Callable[..., Any]
_PREFIX = "/rehearsal/"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Application:
    """One WSGI callable for every account, service and region."""

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = str(environ.get("PATH_INFO", ""))
        if path.startswith(_PREFIX):
            return _own(Request(environ), path.removeprefix(_PREFIX))(environ, start_response)
        return self._moto(environ, start_response)


def _own(request: Request, path: str) -> Response:
    match request.method, path:
        case "GET", "health":
            return _json({"state": str(runtime.current().state_dir), "pid": os.getpid()})
        case "POST", posted if posted in _POSTED:
            return _POSTED[posted](request)
        case "GET", "endpoints":
            return _json(running_fleets())
        case "GET", blob if blob.startswith(BLOBS):
            return _blob(blob.removeprefix(BLOBS))
        case _:
            return _json({"error": f"{request.method} {request.path} is not known here"}, status=404)


def _credentials(request: Request) -> Response:
    try:
        account_id = json.loads(request.get_data())["account_id"]
        return _json(accounts.administrator(account_id))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return _json({"error": f'expected {{"account_id": "<twelve digits>"}}: {error}'}, status=400)


def _session(request: Request) -> Response:
    try:
        asked = json.loads(request.get_data())
        role, region = str(asked["role_arn"]), str(asked["region"])
        accounts.require_role(role, role.split(":")[4])
        return _json(accounts.assume(role, region=region, session="rehearsal"))
    except (accounts.UnknownRoleError, ValueError, KeyError, TypeError, IndexError) as error:
        return _json({"error": f'expected {{"role_arn", "region"}} of a role that exists: {error}'}, status=400)


def _blob(digest: str) -> Response:
    if _DIGEST.fullmatch(digest) is None or not blob_path(digest).is_file():
        return _json({"error": f"there is no blob {digest}"}, status=404)
    return Response(blob_path(digest).read_bytes(), content_type="application/octet-stream")


def _clock(request: Request) -> Response:
    try:
        runtime.current().clock.rate = float(json.loads(request.get_data())["rate"])
    except (ValueError, KeyError, TypeError) as error:
        return _json({"error": f'expected {{"rate": <number>}}: {error}'}, status=400)
    return _json({"rate": runtime.current().clock.rate})


def _json(content: object, *, status: int = 200) -> Response:
    return Response(json.dumps(content), status=status, content_type="application/json")


_POSTED = {"clock": _clock, "credentials": _credentials, "session": _session}
