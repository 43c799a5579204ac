"""Metrics that SageMaker reads out of a training job's log, by the regular expressions of `MetricDefinitions`."""

import re
from typing import Any

from rehearsal.aws.jobs.sagemaker import now


class Metrics:
    """The last value of each metric."""

    def __init__(self, definitions: list[dict[str, str]]) -> None:
        self._patterns = [(entry["Name"], re.compile(entry["Regex"])) for entry in definitions]
        self._last: dict[str, dict[str, Any]] = {}

    def read(self, line: str) -> None:
        """Look for every metric in one line of the log."""
        for name, pattern in self._patterns:
            found = pattern.search(line)
            if found is None or not found.groups():
                continue
            try:
                value = float(found.group(1))
            except ValueError:
                continue
            self._last[name] = {"MetricName": name, "Value": value, "Timestamp": now()}

    def final(self) -> list[dict[str, Any]]:
        """FinalMetricDataList."""
        return list(self._last.values())
