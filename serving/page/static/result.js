// The prediction, and where it lies in the training data.

import { byId, enteredWithUnit, model, shown, tell } from "./model.js";

const { target } = model;

// The same rule as NumberDistribution.percentile: linear inside a quantile bin.
function percentile(value) {
  const total = target.counts.reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (const [i, count] of target.counts.entries()) {
    const left = target.edges[i];
    const right = target.edges[i + 1];
    if (value < right) return (100 * (below + (count * Math.max(value - left, 0)) / (right - left))) / total;
    below += count;
  }
  return 100;
}

function place(value) {
  if (target.counts.length === 0) return "Where it lies in the training data is not shown: the target is personal.";
  if (value < target.minimum) return `Below every one of the ${target.rows} training rows.`;
  if (value > target.maximum) return `Above every one of the ${target.rows} training rows.`;
  return `Higher than ${Math.round(percentile(value))} % of the ${target.rows} training rows.`;
}

/** Put `marker` where `value` lies under the histogram. */
function mark(marker, value) {
  const share = Math.min(Math.max((value - target.minimum) / (target.maximum - target.minimum), 0), 1);
  marker.style.left = `${100 * share}%`;
  marker.dataset.value = shown(value);
  marker.classList.toggle("right", share > 0.7);
  marker.hidden = false;
}

/** Show `value`; `actual` is what was recorded for the sample row in the form, if it holds one. */
export function showResult(value, actual) {
  byId("result").classList.remove("stale");
  tell(byId("prediction"), value);
  byId("place").textContent = place(value);
  const marker = byId("marker");
  if (marker) mark(marker, value);
  byId("actual").hidden = !actual;
  byId("actual").textContent = actual ? `Recorded for this row: ${enteredWithUnit(actual, target.unit)}` : "";
}

/** Say that the answer on screen is not that of the form, and why. */
export function outdated(reason) {
  byId("result").classList.add("stale");
  byId("place").textContent = reason;
}
