"""Checkpoints: brought back before the container starts, copied to S3 while it runs and once more at its end."""

import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rehearsal.aws.jobs import container, storage

_EVERY_S = 1.0


class Checkpoints:
    """`CheckpointConfig` of a training job; without one it does nothing."""

    def __init__(self, upload: storage.Upload | None) -> None:
        self._upload = upload
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._copy, name="checkpoints", daemon=True)

    @classmethod
    def of(cls, configuration: dict[str, Any] | None, base: Path, s3: Any) -> Self:
        """Bring back what an earlier job left at that URI. Raises storage.TransferError."""
        if not configuration:
            return cls(None)
        folder = container.local_path(base, configuration.get("LocalPath") or "/opt/ml/checkpoints")
        storage.download(s3, configuration["S3Uri"], folder, may_be_empty=True)
        upload = storage.Upload(s3=s3, folder=folder, uri=configuration["S3Uri"])
        upload.mark_present()
        return cls(upload)

    def __enter__(self) -> Self:
        if self._upload is not None:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._upload is not None:
            self._done.set()
            self._thread.join()
            self._upload.run()

    def _copy(self) -> None:
        assert self._upload is not None  # noqa: S101 - the thread is only started with one
        while not self._done.wait(_EVERY_S):
            try:
                self._upload.run()
            except storage.TransferError as error:  # the last pass reports it, when it still stands
                print(f"checkpoints: {error}", file=sys.stderr)
