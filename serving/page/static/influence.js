// How much the answer depends on each field: the model is asked again with one field changed at a time.

import { byId, difference, entered, enteredWithUnit, model, shown, withUnit } from "./model.js";

const SVG = "http://www.w3.org/2000/svg";

/** The rows to ask about `row`: for each field its typical value first, then the values that it ranges over. */
export function influenceRows(row) {
  return model.features.flatMap(({ name, typical, range }) => [typical, ...range].map((value) => ({ ...row, [name]: value })));
}

/** Show what the answers to `influenceRows(row)` say of `prediction`, that to `row`; the features, most telling first. */
export function showInfluence(row, prediction, answers) {
  let taken = 0;
  const found = model.features.map((feature) => {
    const [typical, ...range] = answers.slice(taken, (taken += 1 + feature.range.length));
    const all = range.length > 0 ? range : [typical];
    return { feature, effect: prediction - typical, low: Math.min(...all), high: Math.max(...all) };
  });
  found.sort((one, other) => Math.abs(other.effect) - Math.abs(one.effect) || other.high - other.low - (one.high - one.low));
  const widest = Math.max(...found.map(({ effect }) => Math.abs(effect))) || 1;
  byId("influence").replaceChildren(...found.map((entry) => item(entry, row[entry.feature.name], widest)));
  byId("influence").hidden = false;
  byId("influence-empty").hidden = true;
  return found.map(({ feature }) => feature);
}

function item({ feature, effect, low, high }, value, widest) {
  const { unit } = model.target;
  const same = value === feature.typical;
  const entry = document.createElement("li");
  const versus = same
    ? `${enteredWithUnit(value, feature.unit)}, the ${feature.typicalName}`
    : `${enteredWithUnit(value, feature.unit)} instead of ${entered(feature.typical)}`;
  const range = shown(low) === shown(high) ? `always ${withUnit(low, unit)}` : `${shown(low)} to ${withUnit(high, unit)}`;
  entry.append(
    text("span", "name", feature.label),
    text("span", "effect", difference(effect)),
    bar(effect / widest),
    text("span", "versus", versus),
    text("span", "range", `${range} ${feature.rangeName}`),
  );
  return entry;
}

function text(tag, kind, content) {
  const element = document.createElement(tag);
  element.className = kind;
  element.textContent = content;
  return element;
}

/** A bar from the middle to the left or right; the number beside it says the same. */
function bar(share) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "-100 0 200 10");
  drawing.setAttribute("preserveAspectRatio", "none");
  drawing.setAttribute("aria-hidden", "true");
  drawing.setAttribute("class", share < 0 ? "bar down" : "bar up");
  const width = Math.max(100 * Math.abs(share), share === 0 ? 0 : 1);
  drawing.append(rectangle(-100, 200, "track"), rectangle(share < 0 ? -width : 0, width, "length"));
  return drawing;
}

function rectangle(x, width, kind) {
  const shape = document.createElementNS(SVG, "rect");
  for (const [name, value] of Object.entries({ x, y: 0, width, height: 10, class: kind })) shape.setAttribute(name, value);
  return shape;
}
