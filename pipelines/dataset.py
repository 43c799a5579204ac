"""From the landing bucket to a checked, pinned snapshot of the table: the two Glue jobs and the question between them.

An execution that added nothing ends well when it was started for one object, or when the live model was trained on the
very snapshot; `"force": true` in the input trains all the same. A run over all of the landing folder, as the schedule
starts it, also makes good a training that failed before.
"""

from models.spec import ModelSpec
from pipelines.states import GLUE_ERRORS, State, States, Step, patient_retry, read_json, task
from pipelines.targets import PipelineTargets

SNAPSHOT = "$.ingest.content.snapshot_id"
# Glue ends a run at its own limit; the state waits longer, for a run may queue for capacity first.
GLUE_TIMEOUT_S = 3600
_STATE_TIMEOUT_S = GLUE_TIMEOUT_S + 1800


def dataset(spec: ModelSpec, targets: PipelineTargets, *, next_state: str) -> States:
    """From `$.input` to `$.ingest` and an export of the snapshot."""
    return {
        "Ingest": _ingest(spec, targets),
        "ReadIngest": read_json(
            targets.artifacts_bucket,
            "$.run.ingest_key",
            step="Ingest",
            result_path="$.ingest",
            next_state="CheckNewData",
        ),
        "CheckNewData": _check_new_data(spec, targets),
        "NothingNew": {"Type": "Succeed"},
        "TableEmpty": {
            "Type": "Fail",
            "Error": "TableEmpty",
            "Cause": (
                f"The table {spec.table} holds no rows: all that was read is in quarantine, with the reason; put data "
                f"under s3://{targets.landing_bucket}/{spec.name}/"
            ),
        },
        "Validate": _validate(spec, targets, next_state),
    }


def export_uri(spec: ModelSpec, targets: PipelineTargets) -> str:
    """The expression for the folder that the snapshot is exported to."""
    return f"States.Format('s3://{targets.lake_bucket}/exports/{spec.name}/{{}}/', {SNAPSHOT})"


def _ingest(spec: ModelSpec, targets: PipelineTargets) -> State:
    arguments = {
        "--model": spec.name,
        "--prefix.$": "$.input.prefix",
        "--result.$": "States.Format('{}/ingest.json', $.run.folder)",
        "--landing-bucket": targets.landing_bucket,
        **_table_arguments(targets),
    }
    return _job("Ingest", targets.ingest_job, arguments, "ReadIngest")


def _validate(spec: ModelSpec, targets: PipelineTargets, next_state: str) -> State:
    arguments = {
        "--model": spec.name,
        "--snapshot-id.$": SNAPSHOT,
        "--result.$": "States.Format('{}/validate.json', $.run.folder)",
        "--export.$": export_uri(spec, targets),
        **_table_arguments(targets),
    }
    return _job("Validate", targets.validate_job, arguments, next_state)


def _table_arguments(targets: PipelineTargets) -> dict[str, str]:
    return {
        "--warehouse": f"s3://{targets.lake_bucket}/warehouse/",
        "--curated-database": targets.curated_database,
        "--quarantine-database": targets.quarantine_database,
    }


def _job(step: Step, name: str, arguments: dict[str, str], next_state: str) -> State:
    return task(
        "glue:startJobRun.sync",
        {"JobName": name, "Arguments": arguments},
        step=step,
        errors=GLUE_ERRORS,
        timeout_s=_STATE_TIMEOUT_S,
        retry=patient_retry(),
        next_state=next_state,
    )


def _check_new_data(spec: ModelSpec, targets: PipelineTargets) -> State:
    empty: State = {
        "Or": [{"Variable": SNAPSHOT, "IsNull": True}, {"Variable": SNAPSHOT, "StringEquals": ""}],
        "Next": "TableEmpty",
    }
    no_use: list[State] = [{"Not": {"Variable": "$.input.prefix", "StringEquals": f"{spec.name}/"}}]
    if targets.released is not None:
        no_use.append({"Variable": SNAPSHOT, "StringEquals": targets.released.snapshot})
    nothing_new: State = {
        "And": [
            {"Variable": "$.ingest.content.rows_added", "NumericEquals": 0},
            {"Not": {"Variable": "$.input.force", "BooleanEquals": True}},
            {"Or": no_use},
        ],
        "Next": "NothingNew",
    }
    return {"Type": "Choice", "Choices": [empty, nothing_new], "Default": "Validate"}
