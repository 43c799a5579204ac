"""One model's pipeline in Amazon States Language: a pure function of the specification and what it refers to.

    Begin → resolve images → Ingest → new data? → Validate → Train → Evaluate → Gate → Register → propose the release

JSONPath, so that the rehearsal's interpreter runs the very text that AWS runs. The input is
`{"prefix": "<key or folder under the model's landing folder>", "force": false}`, both optional.
"""

from typing import Any

from models.spec import ModelSpec
from pipelines.begin import begin
from pipelines.dataset import dataset
from pipelines.release import release
from pipelines.states import failures
from pipelines.targets import PipelineTargets
from pipelines.training import training

# Step Functions keeps an execution for a year; none of ours has a reason to live longer than the longest wait for
# spot capacity (5 days) and the other steps.
_LONGEST_S = 7 * 24 * 3600


def definition(spec: ModelSpec, targets: PipelineTargets) -> dict[str, Any]:
    """The state machine, as `json.dumps` turns it into the definition that Step Functions takes."""
    return {
        "Comment": f"{spec.title}: from new data to a proposed release",
        "StartAt": "Begin",
        "TimeoutSeconds": _LONGEST_S,
        "States": {
            **begin(spec, targets, next_state="Ingest"),
            **dataset(spec, targets, next_state="Train"),
            **training(spec, targets, next_state="Gate"),
            **release(spec, targets),
            **failures(),
        },
    }
