import json

from delivery.pulumi.events import UpEvents

URN = "urn:pulumi:dev::drivetrain::aws:sqs/queue:Queue::jobs"


def test_each_resource_is_told_in_a_line() -> None:
    lines: list[str] = []
    events = UpEvents(lines.append)
    metadata = {"op": "create", "urn": URN, "type": "aws:sqs/queue:Queue"}
    events.take(json.dumps({"sequence": 1, "resourcePreEvent": {"metadata": metadata}}))
    events.take(json.dumps({"sequence": 2, "resourcePreEvent": {"metadata": {**metadata, "op": "same"}}}))
    events.take(json.dumps({"sequence": 3, "resOpFailedEvent": {"metadata": metadata}}))
    events.take("Downloading plugin\n")
    assert lines == [
        "creating aws:sqs/queue:Queue jobs",
        "failed: creating aws:sqs/queue:Queue jobs",
        "Downloading plugin",
    ]


def test_messages_are_kept_by_their_severity() -> None:
    events = UpEvents(None)
    for severity in ("error", "warning", "info", "debug"):
        payload = {"severity": severity, "message": f"{severity}\nline", "urn": URN}
        events.take(json.dumps({"diagnosticEvent": payload}))
    events.take(json.dumps({"diagnosticEvent": {"severity": "error", "message": "gone", "ephemeral": True}}))
    assert (events.errors, events.warnings) == (["jobs: error line"], ["jobs: warning line"])


def test_the_summary_counts_by_operation() -> None:
    events = UpEvents(None)
    events.take(json.dumps({"summaryEvent": {"resourceChanges": {"create": 2, "same": 1}, "result": "succeeded"}}))
    assert events.changes == {"create": 2, "same": 1}
