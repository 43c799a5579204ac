"""Whether a deployed model behaves as its makers expect, whatever its mean error is.

What holds for every model is always looked at; what is expected of this one is declared in its model.toml:

    [[behaviour]]
    column = "weight"
    direction = "down"

A declared direction is looked at over the range in which the model was trained: the column alone moves from its lowest
tenth to its highest, and the prediction has to follow on average and for most of the rows.
"""

from collections.abc import Mapping, Sequence

from delivery.acceptance.asking import Asker, close
from delivery.acceptance.findings import Check, checked, not_checked
from delivery.acceptance.released import ReleasedModel
from models.schema import Behaviour
from monitoring.baseline import NumberDistribution, PersonalDistribution, Value

_ROOM = 0.5
"""How far a prediction for a row of training data may lie outside of the target's range, as a part of that range."""


def behaviour(asker: Asker, model: ReleasedModel) -> list[Check]:
    """Every expectation, asked of the endpoint."""
    rows = model.rows
    predictions = asker.predict(rows).predictions
    if len(predictions) != len(rows):
        return [checked("behaviour", "predictions", ok=False, said="no finite prediction for rows of training data")]
    checks = [
        _alone_and_among_others(asker, rows, predictions),
        _again(asker, rows, predictions),
        _plausible(model, predictions),
        *_without_a_value(asker, model),
    ]
    declared = [_direction(asker, model, expectation) for expectation in model.spec.behaviour]
    return checks + (declared or [not_checked("behaviour", "directions", "model.toml declares no [[behaviour]]")])


def _alone_and_among_others(asker: Asker, rows: Sequence[Mapping[str, Value]], together: Sequence[float]) -> Check:
    alone = [value for row in rows for value in asker.predict([row]).predictions]
    ok = close(alone, together)
    said = f"{len(rows)} rows alike" if ok else f"alone {alone}, together {list(together)}"
    return checked("behaviour", "a row alone and among others", ok=ok, said=said)


def _again(asker: Asker, rows: Sequence[Mapping[str, Value]], before: Sequence[float]) -> Check:
    turned = asker.predict(list(reversed(rows))).predictions[::-1]
    ok = close(turned, before)
    said = "alike in another order" if ok else f"first {list(before)}, in another order {turned}"
    return checked("behaviour", "the same rows again", ok=ok, said=said)


def _plausible(model: ReleasedModel, predictions: Sequence[float]) -> Check:
    name = "rows of training data are predicted near the target's range"
    target = model.baseline.target
    personal = [part.name for part in (target, *model.baseline.features) if isinstance(part, PersonalDistribution)]
    if personal or isinstance(target, PersonalDistribution):
        said = f"the artefact holds nothing of the values of {', '.join(personal)}, which is personal"
        return not_checked("behaviour", name, said)
    room = _ROOM * (target.maximum - target.minimum)
    low, high = target.minimum - room, target.maximum + room
    outside = [value for value in predictions if not low <= value <= high]
    said = f"from {min(predictions):.4g} to {max(predictions):.4g} {target.unit}".rstrip()
    if outside:
        said += f"; {len(outside)} outside of {low:.4g} to {high:.4g}"
    return checked("behaviour", name, ok=not outside, said=said)


def _without_a_value(asker: Asker, model: ReleasedModel) -> list[Check]:
    """Where a column may be missing, a prediction comes without it as well."""
    found: list[Check] = []
    for column in model.spec.feature_columns:
        if column.nullable:
            rows = [{**row, column.name: None} for row in model.rows]
            ok = len(asker.predict(rows).predictions) == len(rows)
            found.append(
                checked("behaviour", f"without {column.name}", ok=ok, said="answered" if ok else "not answered")
            )
    return found


def _direction(asker: Asker, model: ReleasedModel, expectation: Behaviour) -> Check:
    name = f"{model.spec.target} goes {expectation.direction} with {expectation.column}"
    distribution = model.baseline.feature(expectation.column)
    if isinstance(distribution, PersonalDistribution):
        return not_checked("behaviour", name, f"{expectation.column} is personal: the artefact does not hold its range")
    if not isinstance(distribution, NumberDistribution):
        return not_checked("behaviour", name, f"{expectation.column} is no number in the artefact")
    low, high = _tenths(distribution, whole=model.spec.column(expectation.column).type == "integer")
    if low == high:
        return not_checked("behaviour", name, f"{expectation.column} hardly varies in the training data")
    before = asker.predict([{**row, expectation.column: low} for row in model.rows]).predictions
    after = asker.predict([{**row, expectation.column: high} for row in model.rows]).predictions
    if not len(before) == len(after) == len(model.rows):
        return checked("behaviour", name, ok=False, said="no finite predictions")
    sign = 1 if expectation.direction == "up" else -1
    effects = [sign * (later - earlier) for earlier, later in zip(before, after, strict=True)]
    share, mean = sum(effect > 0 for effect in effects) / len(effects), sum(effects) / len(effects)
    said = f"from {low:g} to {high:g}: by {sign * mean:+.3g} on average, so for {share:.0%} of the rows"
    return checked("behaviour", name, ok=mean > 0 and share >= expectation.share, said=said)


def _tenths(distribution: NumberDistribution, *, whole: bool) -> tuple[float, float]:
    """The values that one in ten training rows is below, and above."""
    edges = distribution.quantiles.edges
    cumulative = [distribution.percentile(edge) for edge in edges]
    low = next(edge for edge, percent in zip(edges, cumulative, strict=True) if percent >= 10)
    high = next(edge for edge, percent in zip(reversed(edges), reversed(cumulative), strict=True) if percent <= 90)
    if whole:
        return round(low), round(high)
    return low, high
