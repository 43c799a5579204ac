"""The only reader of the environment: what SageMaker's container contract and the program hand to the server."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from serving.observe.levels import ACCESS_LOGS, LEVELS
from serving.observe.settings import ObservationSettings
from serving.process.places import Place, Places, PlacesError, read_places

_Word = TypeVar("_Word", bound=str)

DEFAULT_BASE_DIR = "/opt/ml"
DEFAULT_PORT = 8080
FRONTS = ("protocol", "asgi")
_PAYLOAD_MB, _LARGEST_PAYLOAD_MB = 6, 100
"""What SageMaker sends where the job does not say, and the most that it ever does (CreateTransformJob)."""


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
    observation: ObservationSettings = field(default_factory=ObservationSettings)
    """Logs, traces and captured traffic."""
    front: str = "protocol"
    """Which front answers: "protocol" or "asgi"."""
    workers: int | None = None
    """Processes; None for what the container's limits allow, see serving/process/cpus.py."""
    threads: int | None = None
    """Threads of one run of the model; None likewise."""
    queue: int = 4096
    """Most requests that wait in one worker."""
    deadline_seconds: float = 60.0
    """How long a request may wait whose caller does not say."""
    busy_poll_seconds: float = 100e-6
    """How long a worker stays awake after it had work; it does so only with a processor of its own."""
    control_socket: Path | None = None
    """Where the unix socket is made by which models are swapped; None for none."""
    watch: Path | None = None
    """A folder whose newest artefact, or the one that its link `current` names, is served; None for none."""
    batch_bytes: int | None = None
    """Largest body of a Batch Transform job, which then limits a request instead of the model's own limits."""
    variants: Places | None = None
    """Several models; None for the one in `model_dir`."""

    @property
    def places(self) -> Places:
        """All models to serve."""
        one = Place(name="", folder=str(self.model_dir), manifest_sha256=self.manifest_sha256, release=self.release)
        return self.variants or Places(models=(one,))


def read_container(environ: Mapping[str, str]) -> Container:
    """The container as its environment variables describe it; EnvironmentVariableError for a value out of range."""
    host, port = read_address(environ)
    digest = environ.get("MODEL_MANIFEST_SHA256", "").strip().lower()
    if digest and (len(digest) != 64 or set(digest) - set("0123456789abcdef")):
        raise EnvironmentVariableError(f"MODEL_MANIFEST_SHA256 is {digest!r}; expected 64 hexadecimal digits")
    for name in ("SERVING_WATCH", "SERVING_VARIANTS"):
        if digest and environ.get(name, "").strip():
            raise EnvironmentVariableError(
                f"MODEL_MANIFEST_SHA256 pins one model, and {name} names others; expected only one of the two variables"
            )
    return Container(
        model_dir=Path(environ.get("SAGEMAKER_BASE_DIR") or DEFAULT_BASE_DIR) / "model",
        host=host,
        port=port,
        manifest_sha256=digest or None,
        release=environ.get("RELEASE", "").strip(),
        observation=_read_observation(environ),
        front=_word(environ, "SERVING_FRONT", FRONTS, "protocol"),
        workers=_whole(environ, "SERVING_WORKERS", 256),
        threads=_whole(environ, "SERVING_THREADS", 256),
        queue=_whole(environ, "SERVING_QUEUE", 1_000_000) or 4096,
        deadline_seconds=(_whole(environ, "SERVING_DEADLINE_MS", 3_600_000) or 60_000) / 1000,
        busy_poll_seconds=_read_busy_poll(environ),
        control_socket=_path(environ, "SERVING_CONTROL_SOCKET"),
        watch=_path(environ, "SERVING_WATCH"),
        batch_bytes=_read_batch(environ),
        variants=_read_variants(environ),
    )


def read_address(environ: Mapping[str, str]) -> tuple[str, int]:
    """Host and port to listen on; EnvironmentVariableError for a port that there is not."""
    port = environ.get("SAGEMAKER_BIND_TO_PORT") or str(DEFAULT_PORT)
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise EnvironmentVariableError(f"SAGEMAKER_BIND_TO_PORT is {port!r}; expected a port from 1 to 65535")
    # A container's port is published by whoever runs it; a bare process is told 127.0.0.1.
    return environ.get("SERVING_HOST") or "0.0.0.0", int(port)  # noqa: S104


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    text = environ.get(name, "").strip()
    return Path(text) if text else None


def _whole(environ: Mapping[str, str], name: str, most: int) -> int | None:
    text = environ.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= most):
        raise EnvironmentVariableError(f"{name} is {text!r}; expected a whole number from 1 to {most}")
    return int(text)


def _read_busy_poll(environ: Mapping[str, str]) -> float:
    microseconds = _number(environ, "SERVING_BUSY_POLL_US", 10_000)
    return Container.busy_poll_seconds if microseconds is None else microseconds / 1e6


def _read_batch(environ: Mapping[str, str]) -> int | None:
    """SageMaker tells a container so that it is a transform job's, and how large a payload it will send.

    https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html; 0 stands for no limit.
    """
    if environ.get("SAGEMAKER_BATCH", "").strip().lower() != "true":
        return None
    name = "SAGEMAKER_MAX_PAYLOAD_IN_MB"
    text = environ.get(name, "").strip() or str(_PAYLOAD_MB)
    if not (text.isascii() and text.isdigit() and int(text) <= _LARGEST_PAYLOAD_MB):
        raise EnvironmentVariableError(f"{name} is {text!r}; expected a whole number up to {_LARGEST_PAYLOAD_MB}")
    return (int(text) or _LARGEST_PAYLOAD_MB) * 2**20


def _read_variants(environ: Mapping[str, str]) -> Places | None:
    file = _path(environ, "SERVING_VARIANTS")
    try:
        return read_places(file) if file else None
    except PlacesError as error:
        raise EnvironmentVariableError(f"SERVING_VARIANTS: {error}") from error


def _read_observation(environ: Mapping[str, str]) -> ObservationSettings:
    capture_dir = environ.get("SERVING_CAPTURE_DIR", "").strip()
    slow = _number(environ, "SERVING_SLOW_MS", 1e6)
    ratio = _number(environ, "OTEL_TRACES_SAMPLER_ARG", 1)
    endpoint = environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip()
    if endpoint and not endpoint.startswith(("http://", "https://")):
        shown = endpoint.rpartition("@")[2].partition("?")[0]  # a password or a token in it is nobody's
        raise EnvironmentVariableError(
            f"OTEL_EXPORTER_OTLP_ENDPOINT is {shown!r}; expected a URL that begins with http:// or https://"
        )
    return ObservationSettings(
        log_level=_word(environ, "SERVING_LOG_LEVEL", LEVELS, "info"),
        access_log=_word(environ, "SERVING_ACCESS_LOG", ACCESS_LOGS, "refused"),
        slow_seconds=None if slow is None else slow / 1000,
        capture_dir=Path(capture_dir) if capture_dir else None,
        capture_percent=_number(environ, "SERVING_CAPTURE_PERCENT", 100),
        otlp_endpoint=endpoint,
        trace_ratio=1.0 if ratio is None else ratio,
    )


def _word(environ: Mapping[str, str], name: str, words: tuple[_Word, ...], default: _Word) -> _Word:
    text = environ.get(name, "").strip().lower()
    for word in words:
        if word == text:
            return word
    if text:
        raise EnvironmentVariableError(f"{name} is {text!r}; expected {', '.join(words)}")
    return default


def _number(environ: Mapping[str, str], name: str, most: float) -> float | None:
    text = environ.get(name, "").strip()
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= most:
        raise EnvironmentVariableError(f"{name} is {text!r}; expected a number from 0 to {most:g}")
    return number
