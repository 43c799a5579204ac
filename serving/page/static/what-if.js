// The curve of the prediction over one field, all others as entered: one request of as many rows as it has points.

import { draw } from "./chart.js";
import { ask, byId, latest, model, shown, withUnit } from "./model.js";

const field = byId("whatif-field");
const slider = byId("whatif-value");
const plot = byId("whatif-plot");
let drawn = null;
let nearest = null;
let use = () => {};
let begun = false;

const chosen = () => model.features.find(({ name }) => name === field.value);

/** The values of the curve with the entered one among them. */
function values(feature, entered) {
  if (feature.kind === "category") return feature.curve.includes(entered) ? feature.curve : [entered, ...feature.curve];
  if (entered === null || feature.curve.includes(entered)) return feature.curve;
  return [...feature.curve, entered].sort((one, other) => one - other);
}

const explore = latest(async (signal, row) => {
  const feature = chosen();
  const entered = row[feature.name];
  const tried = values(feature, entered);
  const predictions = await ask(tried.map((value) => ({ ...row, [feature.name]: value })), signal);
  const points = tried.map((value, i) => ({ value, prediction: predictions[i] }));
  const current = tried.indexOf(entered);
  drawn = { row, feature, points, current, probe: current < 0 ? Math.floor(points.length / 2) : current };
  show();
});

function label({ feature, points }) {
  const predictions = points.map(({ prediction }) => prediction);
  const ends = `${shown(Math.min(...predictions))} to ${withUnit(Math.max(...predictions), model.target.unit)}`;
  return `${model.target.label} over ${feature.label}: ${ends}. The slider below reads off single values.`;
}

function show() {
  const { feature, points } = drawn;
  byId("whatif").hidden = false;
  byId("whatif-empty").hidden = true;
  slider.max = String(points.length - 1);
  byId("whatif").classList.toggle("categories", feature.kind === "category");
  table();
  move(drawn.probe);
}

/** Read off point number `probe`. */
function move(probe) {
  drawn.probe = probe;
  const { feature, points, current } = drawn;
  const { value, prediction } = points[probe];
  const numeric = feature.kind === "number";
  nearest = draw(plot, {
    points,
    numeric,
    whole: feature.integer,
    trained: feature.trained,
    current,
    probe,
    label: label(drawn),
    axis: numeric && feature.unit ? `${feature.label} (${feature.unit})` : feature.label,
  });
  const reading = `${withUnit(value, feature.unit)} → ${withUnit(prediction, model.target.unit)}`;
  slider.value = String(probe);
  slider.setAttribute("aria-valuetext", reading.replace("→", "gives"));
  byId("whatif-reading").textContent = reading;
  byId("whatif-use").disabled = probe === current;
}

function isTrained({ kind, trained, range }, value) {
  if (kind === "category") return range.includes(value);
  return value >= trained[0] && value <= trained[1];
}

function table() {
  const { feature, points, current } = drawn;
  const [of, answer] = byId("whatif-table").tHead.rows[0].cells;
  of.textContent = feature.unit ? `${feature.label} (${feature.unit})` : feature.label;
  answer.textContent = model.target.unit ? `Prediction (${model.target.unit})` : "Prediction";
  const lines = points.map(({ value, prediction }, i) => {
    const line = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = shown(value) + (i === current ? " (your value)" : "");
    line.append(head);
    line.insertCell().textContent = shown(prediction);
    line.insertCell().textContent = isTrained(feature, value) ? "inside" : "outside";
    return line;
  });
  byId("whatif-table").tBodies[0].replaceChildren(...lines);
}

/** Draw the curve of the chosen field around `row`. */
export const exploreField = explore;

/** Begin with the most telling number among `features`, the first time that they are known. */
export function begin(features) {
  if (begun) return;
  begun = true;
  field.value = (features.find(({ kind }) => kind === "number") ?? features[0]).name;
}

/** `again()` draws anew for another field; `use(name, value)` puts a value into the form. */
export function startWhatIf(again, put) {
  use = put;
  field.addEventListener("change", () => {
    begun = true;
    again();
  });
  slider.addEventListener("input", () => drawn && move(Number(slider.value)));
  byId("whatif-use").addEventListener("click", () => use(drawn.feature.name, drawn.points[drawn.probe].value));
  const follow = (event) => nearest && move(nearest(event.clientX));
  plot.addEventListener("pointerdown", follow);
  plot.addEventListener("pointermove", (event) => (event.pointerType === "mouse" || event.buttons) && follow(event));
  new ResizeObserver(() => drawn && move(drawn.probe)).observe(plot);
}
