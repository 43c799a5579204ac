"""What a process prints, line by line, into CloudWatch Logs and a file in the job's folder."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from moto.logs.models import logs_backends

_LAST_LINES = 50
_MAX_EVENT_BYTES = 250_000  # an event may have 256 KB: CloudWatch Logs, "CloudWatch Logs quotas"


@dataclass(kw_only=True)
class LogStream:
    """One stream of a log group, made when the first line comes."""

    account_id: str
    region: str
    group: str
    stream: str
    file: Path
    on_line: Callable[[str], None] | None = None
    last: deque[str] = field(default_factory=lambda: deque[str](maxlen=_LAST_LINES))

    def write(self, line: str) -> None:
        """Keep one line; `on_line` sees it too."""
        if line.strip():
            self.last.append(line)
        with self.file.open("a", encoding="utf-8") as copy:
            copy.write(f"{line}\n")
        backend = logs_backends[self.account_id][self.region]
        backend.ensure_log_group(self.group)
        backend.ensure_log_stream(self.group, self.stream)
        event = {"timestamp": int(time.time() * 1000), "message": line[:_MAX_EVENT_BYTES]}
        backend.put_log_events(self.group, self.stream, [event])
        if self.on_line is not None:
            self.on_line(line)

    def follow(self, output: IO[bytes]) -> threading.Thread:
        """Write every line of a pipe until it closes, in a thread of its own."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        thread = threading.Thread(target=self._follow, args=(output,), name=f"log {self.stream}", daemon=True)
        thread.start()
        return thread

    def _follow(self, output: IO[bytes]) -> None:
        with output:
            for line in output:
                self.write(line.decode(errors="replace").rstrip("\r\n"))

    def last_line(self) -> str:
        """The last line that says something, or an empty text."""
        return self.last[-1] if self.last else ""
