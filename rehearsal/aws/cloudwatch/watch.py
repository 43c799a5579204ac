"""Alarms that change state: each is evaluated over and over, and its actions reach SNS topics.

Only alarms over metrics that the rehearsal publishes itself are evaluated; others would be told a silence that means
nothing here. Periods pass at the pace of the rehearsal's clock.
"""

import json
import math
import threading
import time
import traceback
from datetime import UTC, datetime
from typing import Any, cast

from moto.cloudwatch.models import cloudwatch_backends
from moto.sns.models import sns_backends

from rehearsal.aws.clock import Clock
from rehearsal.aws.cloudwatch.alarms import AlarmRule, State, UnknownAlarmError
from rehearsal.aws.cloudwatch.expressions import ExpressionError
from rehearsal.aws.cloudwatch.history import history
from rehearsal.aws.cloudwatch.samples import ENDPOINTS, MetricKey, Sample, published
from rehearsal.aws.cloudwatch.statistics import UnknownStatisticError

_LOOK_EVERY_S = 15.0
"""Declared seconds between two looks; a period is at least 60 of them."""
_SHORTEST_PAUSE_S = 0.05
_NOT_EVALUATED = (UnknownAlarmError, UnknownStatisticError, ExpressionError)


class Watch:
    """A thread that looks at every alarm of every account."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ending = threading.Event()

    def start(self) -> None:
        """Begin to look; the thread ends with the process."""
        threading.Thread(target=self._run, name="alarms", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._ending.set()

    def look(self) -> None:
        """Evaluate every alarm once."""
        for account_id, regions in list(cloudwatch_backends.items()):
            for region, backend in list(regions.items()):
                for alarm in list(backend.alarms.values()):
                    self._evaluate(account_id, region, alarm)

    def _run(self) -> None:
        while not self._ending.wait(max(_SHORTEST_PAUSE_S, self._clock.real(_LOOK_EVERY_S))):
            try:
                self.look()
            except Exception:  # an alarm that cannot be evaluated must not end the watch over the others
                traceback.print_exc()

    def _evaluate(self, account_id: str, region: str, alarm: Any) -> None:
        try:
            rule = AlarmRule.of(alarm)
            if any(query.namespace != ENDPOINTS for query in rule.metrics.values()):
                return
            state, reason = rule.state(self._datapoints(account_id, region, rule), cast("State", alarm.state_value))
        except _NOT_EVALUATED as error:
            state, reason = "INSUFFICIENT_DATA", f"Not evaluated in the rehearsal: {error}"
        if state == alarm.state_value:
            return
        old_state, old_reason = str(alarm.state_value), str(alarm.state_reason)
        alarm.update_state(reason, "{}", state)
        history.changed(account_id, region, alarm.name, (old_state, old_reason), (state, reason))
        if alarm.actions_enabled:
            _act(account_id, region, alarm, old_state)

    def _datapoints(self, account_id: str, region: str, rule: AlarmRule) -> list[float | None]:
        """One value per whole period, oldest first."""
        period = self._clock.real(rule.period_s)
        end = math.floor(time.time() / period) * period
        begin = end - rule.periods * period
        buckets: list[dict[str, list[Sample]]] = [{key: [] for key in rule.metrics} for _ in range(rule.periods)]
        for key, query in rule.metrics.items():
            metric = MetricKey.of(account_id, region, query.namespace, query.name, query.dimensions)
            for sample in published.since(metric, begin):
                index = int((sample.at - begin) / period)
                if index < rule.periods:
                    buckets[index][key].append(sample)
        return [rule.datapoint(bucket) for bucket in buckets]


def _act(account_id: str, region: str, alarm: Any, old_state: str) -> None:
    """Publish to the topics of the new state, in the form that CloudWatch sends."""
    topics = {"ALARM": alarm.alarm_actions, "OK": alarm.ok_actions}.get(
        alarm.state_value, alarm.insufficient_data_actions
    )
    message = {
        "AlarmName": alarm.name,
        "AlarmDescription": alarm.description,
        "AWSAccountId": account_id,
        "NewStateValue": alarm.state_value,
        "NewStateReason": alarm.state_reason,
        "OldStateValue": old_state,
        "StateChangeTime": datetime.now(UTC).isoformat(),
        "Region": region,
        "AlarmArn": alarm.alarm_arn,
    }
    for topic in topics:
        if str(topic).split(":")[2] != "sns":
            continue
        try:
            subject = f'{alarm.state_value}: "{alarm.name}" in {region}'[:100]
            sns_backends[account_id][region].publish(message=json.dumps(message), arn=str(topic), subject=subject)
        except Exception:  # a topic that is gone: CloudWatch notes a failed action and goes on
            traceback.print_exc()
