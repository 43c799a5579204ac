"""Signatures by the stack's own KMS key: ECDSA over P-256 with SHA-256, made and checked by KMS, which keeps the key.

Nobody here sees a private key. Who may sign is a matter of `kms:Sign` on that one key: a model's pipeline for the
release that it proposes, the deploy role for the images that it builds and for what it promotes.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from delivery.errors import DeliveryError

if TYPE_CHECKING:
    from types_boto3_kms import KMSClient

_ALGORITHM = "ECDSA_SHA_256"
# https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html: what is longer has to be hashed by the caller.
_LONGEST_MESSAGE = 4096
_NO_KEY = ("NotFoundException", "KMSInvalidStateException", "DisabledException")


class SigningError(DeliveryError):
    """The signing key cannot be used; the message names it and says what to do."""


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """The asymmetric key behind an alias, in the account of the client."""

    client: "KMSClient"
    alias: str
    """Without `alias/`."""

    @property
    def key_id(self) -> str:
        """How KMS is asked for the key."""
        return f"alias/{self.alias}"

    @property
    def cosign_reference(self) -> str:
        """How cosign is told of the key: `cosign sign --key …`."""
        return f"awskms:///{self.key_id}"

    def sign(self, message: bytes) -> bytes:
        """The signature (DER) of `message`, of at most 4,096 bytes. SigningError when there is no such key."""
        if not 0 < len(message) <= _LONGEST_MESSAGE:
            raise ValueError(f"a message to sign has 1 to {_LONGEST_MESSAGE} bytes, this one has {len(message)}")
        try:
            answer = self.client.sign(
                KeyId=self.key_id, Message=message, MessageType="RAW", SigningAlgorithm=_ALGORITHM
            )
        except ClientError as error:
            raise self._explained(error) from error
        return answer["Signature"]

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether `signature` is of `message` and by this key. SigningError when there is no such key."""
        if not 0 < len(message) <= _LONGEST_MESSAGE or not signature:
            return False
        try:
            answer = self.client.verify(
                KeyId=self.key_id,
                Message=message,
                MessageType="RAW",
                Signature=signature,
                SigningAlgorithm=_ALGORITHM,
            )
        except ClientError as error:
            # KMS answers a signature that is not right with an error, not with false.
            if error.response.get("Error", {}).get("Code") == "KMSInvalidSignatureException":
                return False
            raise self._explained(error) from error
        return answer["SignatureValid"]

    def _explained(self, error: ClientError) -> Exception:
        said = error.response.get("Error", {})
        if said.get("Code") not in _NO_KEY:
            return error
        return SigningError(
            f"the signing key {self.key_id} cannot be used ({said.get('Message')}); `drivetrain bootstrap` makes it"
        )
