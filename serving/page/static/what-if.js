// The curve of the prediction over one field, all others as entered: one request of as many rows as it has points.

import { draw } from "./chart.js";
import { ask, byId, entered, enteredWithUnit, latest, model, shown, tell, withUnit } from "./model.js";

const field = byId("whatif-field");
const slider = byId("whatif-value");
const plot = byId("whatif-plot");
let drawn = null;
let nearest = null;
let use = () => {};
let begun = false;

const chosen = () => model.features.find(({ name }) => name === field.value);

/** The values of the curve with the entered one among them. */
function values(feature, own) {
  if (feature.kind === "category") return feature.curve.includes(own) ? feature.curve : [own, ...feature.curve];
  if (own === null || feature.curve.includes(own)) return feature.curve;
  return [...feature.curve, own].sort((one, other) => one - other);
}

const explore = latest(async (signal, row) => {
  const feature = chosen();
  const own = row[feature.name];
  const tried = values(feature, own);
  const predictions = await ask(tried.map((value) => ({ ...row, [feature.name]: value })), signal);
  const points = tried.map((value, i) => ({ value, prediction: predictions[i] }));
  const current = tried.indexOf(own);
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
  const reading = `${enteredWithUnit(value, feature.unit)} → ${withUnit(prediction, model.target.unit)}`;
  slider.value = String(probe);
  slider.setAttribute("aria-valuetext", reading.replace("→", "gives"));
  byId("whatif-reading").textContent = reading;
  byId("whatif-use").disabled = probe === current;
}

/** Where `value` lies; of a personal number the training range is not told, nor where it ends. */
function place({ kind, trained, range }, value) {
  if (kind === "number" && !trained) return "not shown";
  const inside = kind === "category" ? range.includes(value) : value >= trained[0] && value <= trained[1];
  return inside ? "inside" : "outside";
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
    head.textContent = entered(value) + (i === current ? " (your value)" : "");
    line.append(head);
    tell(line.insertCell(), prediction);
    line.insertCell().textContent = place(feature, value);
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
