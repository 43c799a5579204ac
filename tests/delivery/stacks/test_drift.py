"""What a preview after a refresh says of drift, and the report that goes into the issue."""

import pytest

from delivery.pulumi.preview import Operation, Preview, PreviewStep
from delivery.stacks.drift import drift_of, is_clean, report


def step(op: Operation, name: str = "data", changed: tuple[str, ...] = ()) -> PreviewStep:
    urn = f"urn:pulumi:dev::drivetrain::aws:s3/bucket:Bucket::{name}"
    return PreviewStep(op=op, urn=urn, type="aws:s3/bucket:Bucket", name=name, changed=changed)


def preview(*steps: PreviewStep) -> Preview:
    return Preview(steps=steps, change_summary={})


def test_what_is_as_declared_is_no_drift() -> None:
    found = drift_of(preview(step("same"), step("refresh", "other")))
    assert found == ()
    assert is_clean(report("dev", found))


def test_a_change_by_hand_is_named_with_its_fields() -> None:
    text = report("dev", drift_of(preview(step("update", changed=("tags.owner",)))))
    assert "dev: 1 resource differs" in text
    assert "| update | `aws:s3/bucket:Bucket` | `data` | `tags.owner` |" in text
    assert not is_clean(text)


def test_what_somebody_deleted_is_said_to_be_gone() -> None:
    assert "it is gone" in report("dev", drift_of(preview(step("create"))))


def test_a_replacement_counts_once() -> None:
    found = drift_of(preview(step("create-replacement"), step("replace"), step("delete-replaced")))
    assert [each.operation for each in found] == ["replace"]


def test_the_report_is_the_same_for_the_same_drift() -> None:
    """Or the issue would be edited every day for nothing."""
    one, other = step("update", "a", ("x",)), step("update", "b", ("y",))
    assert report("dev", drift_of(preview(one, other))) == report("dev", drift_of(preview(other, one)))


@pytest.mark.parametrize(("count", "said"), [(8, "`f7` |"), (11, "and 3 more")])
def test_many_fields_are_counted(count: int, said: str) -> None:
    changed = tuple(f"f{number}" for number in range(count))
    assert said in report("dev", drift_of(preview(step("update", changed=changed))))
