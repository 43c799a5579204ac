"""Connections and API destinations do what they are for: credentials in their secret, and a real request sent.

In moto an updated connection leaves its secret as it was, DescribeConnection tells the credentials, and a destination
is never called.
"""

import json
import urllib.error
import urllib.request
from typing import Any, Final
from urllib.parse import urlsplit

from moto.events.models import Connection, EventsBackend, events_backends
from moto.secretsmanager.models import secretsmanager_backends

from rehearsal.aws.gaps import replace
from rehearsal.aws.jobs.requests import section

NOTES: Final = (
    "An API destination is called once, at once, without its rate limit and the retries of AWS, with the header of an "
    "API key (other kinds of authorisation are not sent). Plain http is taken for addresses of this machine only.",
)
_TIMEOUT_S: Final = 5.0
_LOOPBACK: Final = ("127.0.0.1", "localhost")
_SECRETS: Final = {"ApiKeyAuthParameters": ("ApiKeyValue",), "BasicAuthParameters": ("Password",)}
_update = EventsBackend.update_connection
_describe = Connection.describe


class NotDeliveredError(Exception):
    """A destination did not take the event; the code is AWS's own for the dead-letter message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def install() -> None:
    """Take over what connections tell and keep."""
    replace(EventsBackend, update_connection=update_connection)
    replace(Connection, describe=describe)


def update_connection(self: EventsBackend, name: str, **changes: Any) -> dict[str, Any]:
    """Change the connection and the secret that keeps its credentials."""
    answer = _update(self, name, **changes)
    connection = self.connections[name]
    if changes.get("auth_parameters"):
        secrets = secretsmanager_backends[self.account_id][self.region_name]
        secret = secrets.secrets[connection.secret_arn]
        key = section(connection.auth_parameters, "ApiKeyAuthParameters")
        value = {"api_key_name": key.get("ApiKeyName"), "api_key_value": key.get("ApiKeyValue")}
        secret.versions[str(secret.default_version_id)]["secret_string"] = json.dumps(value)
    return answer


def describe(self: Connection) -> dict[str, Any]:
    """The connection without what authorises."""
    shown = _describe(self)
    parameters = json.loads(json.dumps(shown.get("AuthParameters") or {}))
    for kind, hidden in _SECRETS.items():
        for name in hidden:
            parameters.get(kind, {}).pop(name, None)
    return {**shown, "AuthParameters": parameters}


def call(destination_arn: str, body: str) -> None:
    """Send `body` to the destination; raises NotDeliveredError."""
    _, _, _, region, account_id, resource = destination_arn.split(":", 5)
    events = events_backends[account_id][region]
    destination = events.destinations.get(resource.split("/")[1])
    if destination is None or destination.arn != destination_arn:
        raise NotDeliveredError("RESOURCE_NOT_FOUND", f"there is no API destination {destination_arn}")
    url = str(destination.invocation_endpoint)
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise NotDeliveredError("INVALID_PARAMETER", f"{url}: only https is called")
    request = urllib.request.Request(  # noqa: S310 - https, or http on the loopback
        url,
        method=str(destination.http_method),
        data=body.encode(),
        headers={"Content-Type": "application/json; charset=utf-8", **_header(events, destination)},
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S):  # noqa: S310
            return
    except urllib.error.HTTPError as error:
        with error:
            raise NotDeliveredError("SDK_CLIENT_ERROR", f"{url} answered {error.code}") from error
    except OSError as error:
        raise NotDeliveredError("SDK_CLIENT_ERROR", f"{url}: {error}") from error


def _header(events: EventsBackend, destination: Any) -> dict[str, str]:
    """The API key of the destination's connection, as its secret has it."""
    connections = [each for each in events.connections.values() if each.arn == destination.connection_arn]
    if not connections or connections[0].authorization_type != "API_KEY":
        return {}
    secrets = secretsmanager_backends[events.account_id][events.region_name]
    secret = secrets.secrets[connections[0].secret_arn]
    kept = json.loads(str(secret.versions[str(secret.default_version_id)]["secret_string"]))
    return {str(kept["api_key_name"]): str(kept["api_key_value"])}
