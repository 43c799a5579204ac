"""Why an update did not stay: the alarms that tripped while it was made, with CloudWatch's own reasons."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_TO_ALARM = "to ALARM"


@dataclass(frozen=True, kw_only=True)
class Cause:
    """An alarm that tripped."""

    alarm: str
    at: datetime
    reason: str

    def __str__(self) -> str:
        return f"the alarm {self.alarm} at {self.at:%Y-%m-%d %H:%M:%S} UTC: {self.reason}"


def tripped_alarms(cloudwatch: Any, alarms: Iterable[str], since: datetime) -> tuple[Cause, ...]:
    """The alarms that went to ALARM from `since` on, the earliest first; those already in ALARM before are among them.

    An alarm that was in ALARM all the time has no change in its history, but rolls every update back.
    """
    names = list(alarms)
    found: dict[str, Cause] = {}
    for name in names:
        items = cloudwatch.describe_alarm_history(
            AlarmName=name, HistoryItemType="StateUpdate", StartDate=since, ScanBy="TimestampAscending"
        )["AlarmHistoryItems"]
        for item in items:
            if str(item.get("HistorySummary", "")).endswith(_TO_ALARM):
                found.setdefault(name, Cause(alarm=name, at=item["Timestamp"], reason=_reason(item)))
    rest = [name for name in names if name not in found]
    standing: list[dict[str, Any]] = cloudwatch.describe_alarms(AlarmNames=rest)["MetricAlarms"] if rest else []
    for alarm in standing:
        if alarm["StateValue"] == "ALARM":
            at = alarm["StateUpdatedTimestamp"]
            found[alarm["AlarmName"]] = Cause(alarm=alarm["AlarmName"], at=at, reason=str(alarm["StateReason"]))
    return tuple(sorted(found.values(), key=lambda cause: cause.at))


def _reason(item: Any) -> str:
    try:
        return str(json.loads(item["HistoryData"])["newState"]["stateReason"])
    except (ValueError, KeyError, TypeError):
        return str(item.get("HistorySummary", ""))
