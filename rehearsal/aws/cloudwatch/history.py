"""What happened to alarms: DescribeAlarmHistory, which moto lacks. It outlives a change of the alarm, as on AWS."""

import json
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_KEPT = 1000


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of an alarm's state."""

    alarm: str
    at: datetime
    old: tuple[str, str]
    new: tuple[str, str]
    """State and reason."""

    def item(self) -> dict[str, Any]:
        """An AlarmHistoryItem."""
        data = {
            "version": "1.0",
            "oldState": {"stateValue": self.old[0], "stateReason": self.old[1]},
            "newState": {"stateValue": self.new[0], "stateReason": self.new[1]},
        }
        return {
            "AlarmName": self.alarm,
            "AlarmType": "MetricAlarm",
            "Timestamp": self.at,
            "HistoryItemType": "StateUpdate",
            "HistorySummary": f"Alarm updated from {self.old[0]} to {self.new[0]}",
            "HistoryData": json.dumps(data),
        }


class History:
    """The changes of state by account and region, newest last. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changes: dict[tuple[str, str], deque[Change]] = {}

    def changed(self, account_id: str, region: str, alarm: str, old: tuple[str, str], new: tuple[str, str]) -> None:
        """An alarm went from one state and reason to another."""
        change = Change(alarm=alarm, at=datetime.now(UTC), old=old, new=new)
        with self._lock:
            self._changes.setdefault((account_id, region), deque(maxlen=_KEPT)).append(change)

    def of(self, account_id: str, region: str) -> Sequence[Change]:
        """Every change of a region, oldest first."""
        with self._lock:
            return list(self._changes.get((account_id, region), ()))


history = History()
"""Of this server, as moto's own backends are."""
