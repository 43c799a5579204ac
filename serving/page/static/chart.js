// A curve over a number or points over categories, as SVG in the pixels of its box, so that text keeps its size.

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 240;
// About the width of a letter, in pixels.
const LETTER = 7.5;
// So few points are shown each, as those of whole numbers are.
const FEW_POINTS = 25;
const EDGE = { top: 14, right: 14, bottom: 42 };

function element(name, attributes, content) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (content !== undefined) made.textContent = content;
  return made;
}

/** Round values between `low` and `high`, about `count` of them; whole ones if `whole`. */
function ticks(low, high, count, whole = false) {
  const rough = Math.max((high - low) / count, whole ? 1 : Number.MIN_VALUE) || 1;
  const magnitude = 10 ** Math.floor(Math.log10(rough));
  const step = (whole ? [1, 2, 5, 10] : [1, 2, 2.5, 5, 10]).map((factor) => factor * magnitude).find((size) => size >= 0.7 * rough);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(last - first + 1, 0) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

const cut = (text, letters) => (text.length > letters ? `${text.slice(0, Math.max(letters - 1, 1))}…` : text);

function span(values) {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const margin = 0.08 * (high - low) || Math.abs(high) * 0.08 || 1;
  return [low - margin, high + margin];
}

/**
 * Draw `points` [{value, prediction}] into `box`.
 *
 * `current` and `probe` are indices of points, `trained` [low, high] for numbers or null, `whole` ones or not. Returns
 * the function that tells the index of the point nearest to a place on screen (clientX).
 */
export function draw(box, { points, numeric, whole, trained, current, probe, label, axis }) {
  const width = Math.max(box.clientWidth, 240);
  const [low, high] = span(points.map(({ prediction }) => prediction));
  const marks = ticks(low, high, 5);
  const left = 14 + LETTER * Math.max(...marks.map((mark) => String(mark).length), 2);
  const right = width - EDGE.right;
  const bottom = HEIGHT - EDGE.bottom;
  const first = points[0].value;
  const reach = points.at(-1).value - first || 1;
  const xOf = numeric
    ? (value) => left + ((value - first) / reach) * (right - left)
    : (_, i) => left + ((i + 0.5) / points.length) * (right - left);
  const y = (prediction) => bottom - ((prediction - low) / (high - low)) * (bottom - EDGE.top);
  const x = points.map(({ value }, i) => xOf(value, i));

  const svg = element("svg", { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": label });
  if (numeric && trained) svg.append(training(xOf, trained, first, first + reach, bottom));
  for (const mark of marks) {
    svg.append(element("line", { x1: left, x2: right, y1: y(mark), y2: y(mark), class: "grid" }));
    svg.append(element("text", { x: left - 8, y: y(mark) + 4, class: "tick end" }, String(mark)));
  }
  svg.append(element("line", { x1: left, x2: right, y1: bottom, y2: bottom, class: "axis" }));
  if (numeric) {
    for (const mark of ticks(first, first + reach, Math.max(2, Math.min(6, width / 90)), whole)) {
      svg.append(element("text", { x: xOf(mark), y: bottom + 18, class: "tick middle" }, String(mark)));
    }
    const path = points.map(({ prediction }, i) => `${i ? "L" : "M"}${x[i].toFixed(1)} ${y(prediction).toFixed(1)}`);
    svg.append(element("path", { d: path.join(""), class: "line" }));
    const few = points.length <= FEW_POINTS ? points : [];
    svg.append(...few.map(({ prediction }, i) => element("circle", { cx: x[i], cy: y(prediction), r: 4, class: "point" })));
  } else {
    categories(svg, points, x, y, bottom, (right - left) / points.length);
  }
  svg.append(element("text", { x: (left + right) / 2, y: HEIGHT - 6, class: "tick middle" }, cut(axis, (right - left) / LETTER)));
  const here = points[current];
  if (here) {
    svg.append(element("line", { x1: x[current], x2: x[current], y1: EDGE.top, y2: bottom, class: "now" }));
    svg.append(element("circle", { cx: x[current], cy: y(here.prediction), r: 5.5, class: "now" }));
  }
  svg.append(element("circle", { cx: x[probe], cy: y(points[probe].prediction), r: 8, class: "probe" }));
  box.replaceChildren(svg);
  return (clientX) => {
    const place = clientX - svg.getBoundingClientRect().left;
    return x.reduce((best, at, i) => (Math.abs(at - place) < Math.abs(x[best] - place) ? i : best), 0);
  };
}

function training(xOf, [low, high], first, last, bottom) {
  const from = xOf(Math.max(low, first));
  const to = xOf(Math.min(high, last));
  return element("rect", { x: from, width: Math.max(to - from, 1), y: EDGE.top, height: bottom - EDGE.top, class: "trained" });
}

/** A stem and a point for each category; names that would not fit are cut, the table has them whole. */
function categories(svg, points, x, y, bottom, room) {
  const letters = Math.floor(room / LETTER);
  for (const [i, { value, prediction }] of points.entries()) {
    svg.append(element("line", { x1: x[i], x2: x[i], y1: bottom, y2: y(prediction), class: "stem" }));
    svg.append(element("circle", { cx: x[i], cy: y(prediction), r: 4.5, class: "point" }));
    const name = String(value ?? "unknown");
    if (letters < 2) continue;
    svg.append(element("text", { x: x[i], y: bottom + 18, class: "tick middle" }, cut(name, letters)));
  }
}
