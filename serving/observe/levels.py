"""The words of the log's settings."""

from typing import Final, Literal

Level = Literal["debug", "info", "warning", "error"]
LEVELS: Final[tuple[Level, ...]] = ("debug", "info", "warning", "error")
AccessLogs = Literal["refused", "all", "off"]
ACCESS_LOGS: Final[tuple[AccessLogs, ...]] = ("refused", "all", "off")
