"""boto3 clients of one account, one region and one endpoint, from an explicit environment.

Nothing is read from `os.environ`: the same process applies several stacks, each to an account of its own. Retries are
few because moto answers a call it does not know with HTTP 500, which botocore would otherwise retry for seconds.
"""

import threading
from collections.abc import Mapping
from typing import Any

from botocore.config import Config

from delivery.aws_session import aws_session

ATTEMPTS = 2
CONNECTIONS = 16


class EnvironmentIncompleteError(Exception):
    """The environment names no region or no credentials."""

    def __init__(self, missing: list[str]) -> None:
        super().__init__(f"the AWS environment lacks {', '.join(missing)}")


class EnvironmentClients:
    """The AwsClients of handler.py over an environment mapping (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_REGION, …)."""

    def __init__(self, environment: Mapping[str, str], *, region: str | None = None) -> None:
        self._region = region or environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or ""
        required = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        missing = [key for key in required if not environment.get(key)]
        if not self._region:
            missing.append("AWS_REGION")
        if missing:
            raise EnvironmentIncompleteError(missing)
        self._endpoint_url = environment.get("AWS_ENDPOINT_URL") or None
        self._session = aws_session(
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=environment.get("AWS_SESSION_TOKEN") or None,
            region_name=self._region,
        )
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}
        self._account_id: str | None = None

    @property
    def region(self) -> str:
        """The region every client of this object talks to."""
        return self._region

    @property
    def account_id(self) -> str:
        """The account the credentials belong to, asked of STS once."""
        if self._account_id is None:
            self._account_id = str(self.client("sts").get_caller_identity()["Account"])
        return self._account_id

    def client(self, service: str) -> Any:
        """The boto3 client of `service`: made once, safe to use from several threads (making one is not)."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._session.client(
                    service, endpoint_url=self._endpoint_url, config=_config(service)
                )
            return self._clients[service]


def _config(service: str) -> Config:
    return Config(
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        max_pool_connections=CONNECTIONS,
        connect_timeout=5,
        read_timeout=120,
        s3={"addressing_style": "path"} if service == "s3" else None,
    )
