"""Does a deployed model answer at all, with a number, and as the release that it should be?"""

from delivery.acceptance.asking import Asker
from delivery.acceptance.findings import Check, checked
from delivery.acceptance.released import ReleasedModel


def smoke(asker: Asker, model: ReleasedModel) -> list[Check]:
    """One row of the training data through the endpoint."""
    reply = asker.predict(model.rows[:1])
    predictions = reply.predictions
    unit = model.spec.target_column.unit
    answered = reply.status == 200 and len(predictions) == 1
    said = f"{model.spec.target} {predictions[0]:.4g} {unit}".rstrip() if answered else str(reply)
    found = str(reply.document.get("release", ""))
    wanted = model.release.package
    release = found.rpartition("/")[2] if found == wanted else f"answers as {found or 'no release'}, not as {wanted}"
    return [
        checked("smoke", "prediction", ok=answered, said=said),
        checked("smoke", "release", ok=found == wanted, said=release),
    ]
