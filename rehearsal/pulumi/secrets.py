"""The secrets provider of a stack: its key is asked to encrypt and decrypt, as the real command asks it.

The data key in the state is really encrypted by KMS, so a role that may not use the key fails here as it would there.
The secrets themselves are kept in plain text (see rehearsal/engine/checkpoint.py).
"""

import base64
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from delivery.aws_session import aws_session
from rehearsal.pulumi.errors import CONFIGURATION, CommandError

_PASSPHRASES = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")


def provider_for(address: str) -> dict[str, Any]:
    """The `secrets_providers` of a new stack; raises CommandError for what the rehearsal has no way to make."""
    if address in ("", "default", "passphrase"):
        _need_passphrase()
        return {"type": "passphrase", "state": {}}
    if not address.startswith("awskms://"):
        raise CommandError(f"unknown secrets provider type {address!r}; here: awskms:// or passphrase", CONFIGURATION)
    client, key = _key(address)
    answer = client.encrypt(KeyId=key, Plaintext=os.urandom(32))
    encrypted = base64.b64encode(answer["CiphertextBlob"]).decode()
    return {"type": "cloud", "state": {"url": address, "encryptedkey": encrypted}}


def opened(provider: Mapping[str, Any] | None) -> None:
    """Have the key of the state decrypted; raises what KMS says."""
    if not provider:
        return
    if provider.get("type") == "passphrase":
        _need_passphrase()
        return
    state = provider["state"]
    client, key = _key(state["url"])
    client.decrypt(KeyId=key, CiphertextBlob=base64.b64decode(state["encryptedkey"]))


def _key(address: str) -> tuple[Any, str]:
    parts = urlsplit(address)
    region = parse_qs(parts.query).get("region", [None])[0]
    return aws_session(region_name=region).client("kms"), (parts.netloc + parts.path).lstrip("/")


def _need_passphrase() -> None:
    if not any(name in os.environ for name in _PASSPHRASES):
        raise CommandError(
            "passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment "
            "variables",
            CONFIGURATION,
        )
