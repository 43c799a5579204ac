"""The WSGI application: everything to moto, `/rehearsal/…` to us.

- `GET /rehearsal/health` → `{"state", "pid"}`
- `POST /rehearsal/credentials {"account_id"}` → an administrator's key of that account
- `GET /rehearsal/endpoints` → one object per serving process: account, endpoint, variant, url, pid, model, status
"""

import json
import os
from collections.abc import Callable, Iterable
from typing import Any

from moto.moto_server.werkzeug_app import (  # pyright: ignore[reportMissingTypeStubs]
    DomainDispatcherApplication,
    create_backend_app,
)
from werkzeug.wrappers import Request, Response

from rehearsal.aws import accounts, runtime
from rehearsal.aws.endpoints.registry import running_fleets

StartResponse = Callable[..., Any]
_PREFIX = "/rehearsal/"


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
        case "POST", "credentials":
            return _credentials(request)
        case "GET", "endpoints":
            return _json(running_fleets())
        case _:
            return _json({"error": f"{request.method} {request.path} is not known here"}, status=404)


def _credentials(request: Request) -> Response:
    try:
        account_id = json.loads(request.get_data())["account_id"]
        return _json(accounts.administrator(account_id))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return _json({"error": f'expected {{"account_id": "<twelve digits>"}}: {error}'}, status=400)


def _json(content: object, *, status: int = 200) -> Response:
    return Response(json.dumps(content), status=status, content_type="application/json")
