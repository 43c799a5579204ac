"""The only reader of the environment: what SageMaker's container contract and the program hand to the server."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_BASE_DIR = "/opt/ml"
DEFAULT_PORT = 8080


class EnvironmentVariableError(Exception):
    """An environment variable has a value that cannot be used; the message names it and what would be right."""


@dataclass(frozen=True, kw_only=True)
class Container:
    """Where the model lies, where to listen, and what is to be served."""

    model_dir: Path
    host: str
    port: int
    manifest_sha256: str | None
    """Expected sha256 (hex) of manifest.json; None when the caller does not pin it."""
    release: str
    """Name of the release, such as the ARN of the model package; empty when not given."""


def read_container(environ: Mapping[str, str]) -> Container:
    """The container as its environment variables describe it; EnvironmentVariableError for a value out of range."""
    port = environ.get("SAGEMAKER_BIND_TO_PORT") or str(DEFAULT_PORT)
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise EnvironmentVariableError(f"SAGEMAKER_BIND_TO_PORT is {port!r}; expected a port from 1 to 65535")
    digest = environ.get("MODEL_MANIFEST_SHA256", "").strip().lower()
    if digest and (len(digest) != 64 or set(digest) - set("0123456789abcdef")):
        raise EnvironmentVariableError(f"MODEL_MANIFEST_SHA256 is {digest!r}; expected 64 hexadecimal digits")
    return Container(
        model_dir=Path(environ.get("SAGEMAKER_BASE_DIR") or DEFAULT_BASE_DIR) / "model",
        # A container's port is published by whoever runs it; a bare process is told 127.0.0.1.
        host=environ.get("SERVING_HOST") or "0.0.0.0",  # noqa: S104
        port=int(port),
        manifest_sha256=digest or None,
        release=environ.get("RELEASE", "").strip(),
    )
